"""Exchanges, channel decision, dispatches, arrivals, evidence; the ports."""
