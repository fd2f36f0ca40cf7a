"""The config of a run: the code that composes it from YAML, and the schema that checks it.

Nothing here reads a run or imports TensorFlow.
"""
