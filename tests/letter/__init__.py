"""Letters: set, looked at, read back."""
