"""Sweeps: many runs in many processes, on this machine or on a cluster.

A point of a sweep is one run; workers train points in child processes.
"""
