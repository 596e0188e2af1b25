"""Calendars, legal rules as data, timers."""
