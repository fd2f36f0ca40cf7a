"""Published statements against runs: each study is a YAML file with runs, figures and claims.

`subjects/` holds what a study can state; `recordings/` keeps runs that took hours.
"""
