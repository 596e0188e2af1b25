"""The options that name a scope, the same on every command."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from engine.migration.scope import Scope

Procedure = Annotated[str | None, typer.Option(help="Key of a procedure; default all.")]
Step = Annotated[str | None, typer.Option(help="Element id of the sending step; default all.")]
Sender = Annotated[str | None, typer.Option(help="Key or name; default all that you may see.")]
Recipient = Annotated[str | None, typer.Option(help="Key or name; default all.")]
District = Annotated[str | None, typer.Option(help="Key or name of the recipients' district; default all.")]


NOTHING_SENDS = "no deployed procedure sends anything here: 'dienstweg model deploy', 'dienstweg model list'"
"""Said where there are no relations."""


def make_scope(
    procedure: str | None, step: str | None, sender: str | None, recipient: str | None, district: str | None
) -> "Scope":
    """Return the scope that the options name; names are turned into keys by the service."""
    from engine.migration.scope import Scope

    return Scope(procedure, step, sender, recipient, district)
