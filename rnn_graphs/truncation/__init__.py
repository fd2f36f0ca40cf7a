"""How far errors flow back: one entry for each style, and the gradients that they give.

The registry in `styles` is read without TensorFlow.
"""
