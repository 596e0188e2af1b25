"""What the window of an envelope shows."""

from adapters.letter.body import one_line
from engine.exchange.ports import Mailbox, Party


def address_lines(party: Party, mailbox: Mailbox | None) -> list[str]:
    """Return what the window shows: the mailbox's own postal address, else the directory's.

    Name and unit stand above it unless it has them already.
    """
    lines = [one_line(line) for line in (mailbox.address.splitlines() if mailbox else ()) if one_line(line)]
    if not lines:
        lines = [one_line(line) for line in party.address if one_line(line)]
    names = [one_line(text) for text in (party.name, party.unit or "") if one_line(text)]
    if lines and names and names[0].casefold() in lines[0].casefold():
        names[0] = lines.pop(0)
    known = {line.casefold() for line in lines}
    return [name for name in names if name.casefold() not in known] + lines
