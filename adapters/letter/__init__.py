"""Payload: a letter on paper, as PDF."""
