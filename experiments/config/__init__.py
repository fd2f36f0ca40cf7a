"""What a run is asked to be: the schema that checks a config, and the code that composes one.

Nothing here reads a run or imports TensorFlow.
"""
