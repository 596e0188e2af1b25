"""Background work: dispatchers and the scheduler."""
