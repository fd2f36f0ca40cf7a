"""Published statements against runs: each study is a YAML file with runs, figures and claims.

A figure or a criterion is one entry here; `recordings/` keeps runs that took hours.
"""
