"""Recurrent graphs in TensorFlow 1.x style. Nothing here opens files or sessions."""
