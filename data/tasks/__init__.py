"""One file a task: its config, its data, its exact floors."""
