"""The procedures that ship with Dienstweg."""
