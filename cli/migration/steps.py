"""``dienstweg migration steps``: why steps still are on paper."""

from datetime import datetime
from typing import Annotated

import typer

from cli.migration.scope import Procedure, Sender, Step, make_scope
from cli.show import Csv, Json, listing, print_csv, print_json, table
from cli.state import State

app = typer.Typer()
steps = typer.Typer(help="Why steps still are on paper: list, set, reset, history.", no_args_is_help=True)
app.add_typer(steps, name="steps")

ProcedureKey = Annotated[str, typer.Argument(help="Key of the procedure.")]
Element = Annotated[str, typer.Argument(help="Element id of the sending step.")]
Because = Annotated[str, typer.Option(help="Why you say so; kept with your name.")]

ORIGINS = {"form": "Formklasse", "procedure": "Verfahren", "set": "gesetzt"}


@steps.command("list")
def list_(
    ctx: typer.Context,
    procedure: Procedure = None,
    step: Step = None,
    sender: Sender = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """List the steps that send, why each still is on paper, and by what source."""
    from engine.migration.reasons import TITLES
    from engine.service.migration.steps import list_steps

    state: State = ctx.obj
    found = list_steps(state.app, state.actor, make_scope(procedure, step, sender, None, None))
    if json:
        print_json(found)
        return
    if csv:
        columns = [
            "sender",
            "procedure",
            "step",
            "form",
            "why",
            "relief",
            "since",
            "source",
            "origin",
            "set_by",
        ]
        print_csv(
            columns,
            [
                (
                    each.sender,
                    each.step.procedure,
                    each.step.element,
                    each.step.form,
                    each.reason.why,
                    each.reason.relief,
                    each.reason.since,
                    each.reason.source,
                    each.reason.origin,
                    each.reason.set_by,
                )
                for each in found
            ],
        )
        return
    rows = []
    for each in found:
        reason = each.reason
        says = f"{ORIGINS[reason.origin]} ({reason.set_by})" if reason.set_by else ORIGINS[reason.origin]
        relief = f"; {reason.relief}" if reason.relief else ""
        since = f" seit {reason.since:%d.%m.%Y}" if reason.since else ""
        read = f" (gelesen {reason.as_of:%d.%m.%Y})" if reason.as_of else ""
        rows.append(
            (
                each.sender,
                f"{each.step.procedure}\n{each.step.element}",
                each.step.form,
                TITLES[reason.why],
                f"{reason.source}{read}{relief}{since}",
                says,
            )
        )
    table(["von", "Schritt", "Form", "warum Papier", "Quelle", "sagt"], rows, "Schritte (steps)")


@steps.command("set")
def set_(
    ctx: typer.Context,
    procedure: ProcedureKey,
    step: Element,
    why: Annotated[str, typer.Option(help="paper-bound, relaxable, no-channel, technical or no-form.")],
    reason: Because,
    source: Annotated[str, typer.Option(help="The paragraph that says so.")] = "",
    relief: Annotated[str | None, typer.Option(help="relaxable: what lets the form go.")] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Since when the relief holds.")
    ] = None,
    sender: Annotated[str | None, typer.Option(help="For another authority of this installation.")] = None,
    json: Json = False,
) -> None:
    """Say why a step still is on paper; what was said before stays in its history."""
    from engine.migration.reasons import TITLES
    from engine.service.migration.steps import NewReason, set_reason

    state: State = ctx.obj
    new = NewReason(why, reason, source, relief, since.date() if since else None)
    found = set_reason(state.app, state.actor, procedure, step, new, sender=sender)
    if json:
        print_json(found)
    else:
        typer.echo(f"{procedure} {step}: {TITLES[found.why]}")


@steps.command()
def reset(
    ctx: typer.Context,
    procedure: ProcedureKey,
    step: Element,
    reason: Because,
    sender: Annotated[str | None, typer.Option(help="For another authority of this installation.")] = None,
    json: Json = False,
) -> None:
    """Go back to what the procedure or the form class says."""
    from engine.migration.reasons import TITLES
    from engine.service.migration.steps import NewReason, set_reason

    state: State = ctx.obj
    found = set_reason(state.app, state.actor, procedure, step, NewReason(None, reason), sender=sender)
    if json:
        print_json(found)
    else:
        typer.echo(f"{procedure} {step}: {TITLES[found.why]} ({ORIGINS[found.origin]})")


@steps.command()
def history(
    ctx: typer.Context,
    procedure: ProcedureKey,
    step: Element,
    sender: Annotated[str | None, typer.Option(help="Another authority of this installation.")] = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Show who said what about a step, newest first."""
    from engine.migration.reasons import TITLES
    from engine.service.migration.steps import step_history

    state: State = ctx.obj
    found = step_history(state.app, state.actor, procedure, step, sender=sender)
    if json:
        print_json(found)
        return
    rows = [
        (
            each.at,
            each.by,
            TITLES[each.reason.why] if each.reason else "zurückgesetzt",
            each.reason.source if each.reason else "",
            each.note,
        )
        for each in found
    ]
    columns = ["am", "wer", "warum Papier", "Quelle", "Begründung"]
    listing(columns, rows, f"{procedure} {step}", csv=csv)
