"""Run directories: their files, and how to read them back.

Nothing here imports TensorFlow or draws.
"""
