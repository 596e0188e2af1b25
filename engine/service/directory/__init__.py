"""The directory: authorities, their people and mailboxes. Shared; acting on it needs the admin role."""
