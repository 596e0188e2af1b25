"""The directory: authorities, their people and mailboxes. Shared; acting on it needs the admin role."""

from engine.service.directory.authorities import find_authority as find_authority
