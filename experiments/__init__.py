"""Where data and graphs meet: config, training, run directories, analysis, reports."""
