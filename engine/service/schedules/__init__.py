"""Schedules: timer starts that an admin lets begin cases, and the rounds that begin them."""
