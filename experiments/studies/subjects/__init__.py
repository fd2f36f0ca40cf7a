"""What studies are about, a file for each subject: its measurement, its criteria and its figures.

A criterion or a figure in any file here can be named in YAML.
"""
