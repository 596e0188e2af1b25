"""Carrier: an exchange folder."""
