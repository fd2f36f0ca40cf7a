"""One file for each task: its config, its data, its exact floors."""
