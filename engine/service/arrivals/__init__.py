"""What comes in: taken from mailboxes or registered from paper, matched, filed, confirmed, decided on."""
