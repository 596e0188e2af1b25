"""Payload: xdomea messages in their containers."""
