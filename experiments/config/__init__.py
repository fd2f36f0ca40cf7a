"""The config of a run: the schema that checks it, and the code that composes it from YAML.

Nothing here reads a run or imports TensorFlow.
"""
