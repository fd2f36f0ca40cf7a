"""A plain copy of r2rt's true truncation, the baseline of the bench.

Source: r2rt, "Styles of Truncated Backpropagation" (2016). Each step of the unrolled graph
reads its own copy of W and b. Each loss has its own call of `tf.gradients`, for the copies of the
last `depth` steps. There are two differences from the post: the sum is divided to give the gradient
of the mean loss, as in every style here, and there is neither embedding nor dropout.
"""

from __future__ import annotations

from rnn_graphs.config import TruncationConfig
from rnn_graphs.model import Model
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.step import Step, StepFunction, Window
from rnn_graphs.unrolls import UnrollFunction


def make_step(model: Model, _: UnrollFunction, truncation: TruncationConfig) -> StepFunction:
    """The training step of true_bptt without context, for a tanh cell with W and b."""
    assert truncation.depth is not None
    depth = truncation.depth
    W, b, softmax_W, softmax_b = model.variables

    def step(window: Window) -> Step:
        Ws, bs, states = [], [], [window.state]
        for x in tf.unstack(model.encode(window.inputs, window.key)):
            Ws.append(tf.identity(W))
            bs.append(tf.identity(b))
            states.append(tf.tanh(tf.matmul(tf.concat([x, states[-1]], 1), Ws[-1]) + bs[-1]))
        logits = [tf.matmul(state, softmax_W) + softmax_b for state in states[1:]]
        labels = tf.unstack(tf.cast(window.labels, tf.int32))
        losses = [
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=label, logits=each)
            for label, each in zip(labels, logits, strict=True)
        ]
        total_loss = tf.reduce_mean(losses)
        W_grads, b_grads = [], []
        for t, loss in enumerate(losses):
            start = max(0, t + 1 - depth)
            copies = Ws[start : t + 1] + bs[start : t + 1]
            grads = tf.gradients(loss, copies)
            W_grads += grads[: len(grads) // 2]
            b_grads += grads[len(grads) // 2 :]
        count = tf.cast(tf.size(losses), total_loss.dtype)
        gradients = [
            tf.add_n(W_grads) / count,
            tf.add_n(b_grads) / count,
            *tf.gradients(total_loss, [softmax_W, softmax_b]),
        ]
        return Step(tf.stack(logits), tf.stack(losses), total_loss, states[-1], gradients)

    return step
