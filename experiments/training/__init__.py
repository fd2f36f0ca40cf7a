"""One config to one trained run: data, session, loop, checkpoints, summary.

Modules that import TensorFlow are imported when training begins.
"""
