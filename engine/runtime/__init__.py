"""Advance one case on SpiffWorkflow."""
