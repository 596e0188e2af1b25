"""Our own behaviour cases, in a short notation (``notation.py``), written out by ``make_cases.py``."""
