"""From post to electronic: register, readiness, switching, ledger, status. One module a matter."""
