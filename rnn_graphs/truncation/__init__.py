"""Truncation: how far errors flow back. One entry for each style, and the gradients of all.

The registry in `styles` is read without TensorFlow.
"""
