"""The reason that whoever changes the migration has to give."""

import unicodedata

from engine.errors import RefusedError

_NOTHING = ("C", "Z")
"""Unicode categories of what cannot be seen: blanks, control and format characters."""


def said(reason: str, refused: type[RefusedError]) -> str:
    """Return a reason without blanks around it; raise ``refused`` where it says nothing one could read."""
    if all(unicodedata.category(each).startswith(_NOTHING) for each in reason):
        raise refused("a reason is needed", hint="say why with --reason, for those who read the history")
    return reason.strip()
