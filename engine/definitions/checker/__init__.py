"""The model checker: what the engine would get wrong does not deploy (``docs/reference/rules.md``)."""
