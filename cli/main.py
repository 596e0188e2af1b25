"""The command line's door: global options, lazily loaded groups, errors turned into exit statuses."""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from cli.state import State
from engine.errors import DienstwegError

GROUPS: dict[str, tuple[str, str]] = {
    "init": ("cli.init", "Make a new installation in a folder."),
    "demo": (
        "cli.demo",
        "Play the story of one procedure between two authorities, by post and electronically.",
    ),
    "work": ("cli.work", "Run the work loop: timers, sending, receiving."),
    "model": ("cli.model", "Procedures (Verfahren): check, deploy, list, show, test."),
    "case": ("cli.case", "Cases (Vorgänge): start, list, show, repair."),
    "task": ("cli.task", "Tasks (Aufgaben): list, show, claim, complete."),
    "arrival": ("cli.arrival", "Arrivals (Eingänge): list, show, register, assign, reject."),
    "document": ("cli.document", "Documents (Dokumente) of a case: add, list, open."),
    "exchange": ("cli.exchange", "Exchanges (Austausche): list, show, explain."),
    "migration": ("cli.migration", "From post to electronic: status, switch, rules."),
    "incident": ("cli.incident", "Incidents: list, show, retry, resolve."),
    "deadline": (
        "cli.deadline",
        "Deadlines (Fristen): list, show, extend, calendar; rules, explain, questions.",
    ),
    "fact": ("cli.fact", "Facts (Tatsachen) about exchanges: record, withdraw."),
    "decision": ("cli.decision", "DMN decisions: evaluate, list."),
    "timer": ("cli.timer", "Timers: list, show."),
    "schedule": ("cli.schedule", "Schedules (Zeitpläne): let timer starts begin cases: on, off, list, show."),
    "authority": ("cli.authority", "Authorities (Behörden): list, show, import."),
    "mailbox": ("cli.mailbox", "Mailboxes (Postfächer): add, end, list, check."),
    "person": ("cli.person", "People: add, list."),
    "db": ("cli.db", "The database: upgrade, check, copy, orphans."),
}


BROUGHT: dict[str, str] = {
    "letter": "Letters (Briefe): preview.",
    "post": "The post: the day's print run, posting, scans.",
    "xdomea": "E-files: check, show, unpack a container.",
    "ego-mail": "eGo-MAIL: terms of a partner's mailbox; partners from the DVDV.",
    "intermediary": "A trial OSCI intermediary; not for production.",
}
"""Help lines of the adapters that ship with Dienstweg; listing help loads none of them."""


class Lazy(TyperCommand):
    """A group that is imported when it is used, not when help lists it."""

    def __init__(self, name: str, help_text: str, load: Callable[[], Any]) -> None:
        """Show ``help_text`` in listings; ``load`` gives the real command."""
        super().__init__(name, help=help_text)
        self._load = load

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Let the real command make its context; from here on it is in charge."""
        return self._load().make_context(info_name, args, parent, **extra)


def _load_module(module: str) -> Callable[[], Any]:
    return lambda: typer.main.get_command(import_module(module).app)


class Root(TyperGroup):
    """The top level: own groups, then those that adapters bring."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return every group's name without importing any."""
        return [*GROUPS, *sorted(_brought())]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a group that loads itself on use."""
        if cmd_name in GROUPS:
            module, help_text = GROUPS[cmd_name]
            return Lazy(cmd_name, help_text, _load_module(module))
        point = _brought().get(cmd_name)
        if point is None:
            return None
        return Lazy(cmd_name, BROUGHT.get(cmd_name, f"Brought by {point.value}."), _load_point(point))


def _brought() -> dict[str, Any]:
    # Reading what is installed takes as long as half of everything else here.
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group="dienstweg.commands")}


def _load_point(point: Any) -> Callable[[], Any]:
    return lambda: typer.main.get_command(point.load())


app = typer.Typer(
    cls=Root, no_args_is_help=True, add_completion=True, rich_markup_mode=None, pretty_exceptions_enable=False
)


@app.callback()
def main(
    ctx: typer.Context,
    home: Annotated[
        Path | None, typer.Option(help="Folder of the installation; else DIENSTWEG_HOME or ./dienstweg-data.")
    ] = None,
    as_: Annotated[
        str | None, typer.Option("--as", help="Who acts; else 'person' of dienstweg.toml.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="Act as if it were this instant (ISO 8601); for training and tests.")
    ] = None,
) -> None:
    """Dienstweg: procedures between authorities, from post to electronic exchange."""
    ctx.obj = State(home=home, person=as_, at=at)
    ctx.call_on_close(ctx.obj.close)


def run() -> None:
    """Run the command line; the exit status tells the family of an error (docs/reference/cli.md)."""
    try:
        app()
    except DienstwegError as error:
        print(f"dienstweg: {error}", file=sys.stderr)
        sys.exit(error.exit_status)
