"""Payloads and carriers, one folder each."""
