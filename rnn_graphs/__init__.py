"""Recurrent graphs in TensorFlow 1.x style. No files and no sessions here."""
