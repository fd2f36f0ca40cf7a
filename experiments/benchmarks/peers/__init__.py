"""Updates of this program beside the same updates of PyTorch and JAX.

Each program runs in a process of its own, so that none sees the threads and flags of another.
"""
