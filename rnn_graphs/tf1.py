"""The only place that imports TensorFlow, after setting the environment it needs."""

from __future__ import annotations

import os
import warnings

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # tf.compat.v1.nn.rnn_cell lives in tf_keras
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # oneDNN's sums differ from machine to machine
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # start-up notices; errors still show
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # results are defined on the CPU

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of TensorFlow's own imports
    import tensorflow.compat.v1 as tf

# Not disable_v2_behavior(): resource variables and while_v2 are what lets a whole
# training loop run inside the graph, and XLA compile it.
tf.disable_eager_execution()
tf.logging.set_verbosity(tf.logging.ERROR)

__all__ = ["tf"]
