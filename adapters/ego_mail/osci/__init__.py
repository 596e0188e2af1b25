"""OSCI-Transport 1.2 as a library: see ``docs/reference/osci.md``. It knows no cases."""
