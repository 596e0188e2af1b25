"""Payload: a plain electronic document."""
