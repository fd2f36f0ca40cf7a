"""Runs side by side: the config keys in which they differ, and which is best.

Reads run directories only.
"""
