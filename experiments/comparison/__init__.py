"""Runs side by side: which config keys tell them apart, and which is best.

Reads run directories only.
"""
