"""Measured comparisons; ``python -m benchmarks NAME``. Never tests: figures depend on the machine."""
