"""Our own behaviour cases, drawn in a short notation (``notation.py``) and written out by ``make_cases.py``."""
