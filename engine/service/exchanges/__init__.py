"""Exchanges on their way out: decided, signed, sent, tracked, and what became of them."""
