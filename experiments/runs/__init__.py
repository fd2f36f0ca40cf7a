"""What a run leaves on the disk, and how to read it back.

Nothing here imports TensorFlow or draws.
"""
