"""Comparisons of runs: the config keys in which they differ, and which is best.

Reads nothing but run directories.
"""
