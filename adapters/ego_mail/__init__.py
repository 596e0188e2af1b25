"""Carrier: eGo-MAIL, the Saarland's Virtuelle Poststelle (OSCI-Transport 1.2)."""
