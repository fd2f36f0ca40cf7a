"""The only module that imports TensorFlow, after setting the environment that it needs."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # tf.compat.v1.nn.rnn_cell lives in tf_keras
# oneDNN's sums differ from machine to machine. A run that wants it sets the variable before this.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
HAS_ONEDNN = os.environ["TF_ENABLE_ONEDNN_OPTS"] != "0"  # TensorFlow reads it once, below
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # errors that matter arrive as exceptions
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # results are defined on the CPU
# XLA schedules kernels to run several at a time. Handing each to another thread takes longer than
# the kernels of a small graph; one after the other, they take half the time.
os.environ["XLA_FLAGS"] = (
    "--xla_cpu_enable_concurrency_optimized_scheduler=false " + os.environ.get("XLA_FLAGS", "")
)


def keep_xla_to_one_thread() -> None:
    """Run matrix products under XLA in the calling thread, without a thread pool.

    XLA reads its flags once, when the first session opens. Later calls have no effect.
    """
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false " + os.environ["XLA_FLAGS"]


@contextlib.contextmanager
def _native_stderr_kept_back() -> Iterator[None]:
    """Show the C++ output on stderr only if the block fails.

    TensorFlow's libraries write notices about CUDA before their log level applies.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as kept, os.fdopen(os.dup(2), "wb") as stderr:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except Exception:
            kept.seek(0)
            stderr.write(kept.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(stderr.fileno(), 2)


with _native_stderr_kept_back(), warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of TensorFlow's own imports
    import tensorflow.compat.v1 as tf
    from tensorflow.compiler.tf2xla.ops.gen_xla_ops import xla_optimization_barrier

    _ = tf.nn.rnn_cell.RNNCell  # imports tf_keras, which prints notices too

# Not disable_v2_behavior(), because running a whole training loop inside the graph, and compiling
# it with XLA, requires resource variables and while_v2.
tf.disable_eager_execution()
tf.logging.set_verbosity(tf.logging.ERROR)

__all__ = ["HAS_ONEDNN", "keep_xla_to_one_thread", "tf", "xla_optimization_barrier"]
