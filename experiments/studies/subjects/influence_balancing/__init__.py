"""Influence balancing (Tallec & Ollivier 2017): a task that truncation trains the wrong way."""
