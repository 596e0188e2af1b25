"""Carrier: the post, through a print folder."""
