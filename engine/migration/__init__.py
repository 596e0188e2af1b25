"""Relations, readiness, switching, ledger, figures."""
