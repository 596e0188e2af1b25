"""Authorities, units, mailboxes, people, roles."""
