"""``dienstweg exchange``."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cli.deadline_table import brief, deadline_table, light_text
from cli.show import Json, cell, plain, print_json, short, table
from cli.state import State

app = typer.Typer(help="Exchanges (Austausche): list, show, explain.", no_args_is_help=True)


@app.command("list")
def list_(
    ctx: typer.Context,
    status: Annotated[str | None, typer.Option(help="open, answered, held.")] = None,
    case: Annotated[str | None, typer.Option(help="Only those of one case.")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
    offset: Annotated[int, typer.Option(min=0)] = 0,
    json: Json = False,
) -> None:
    """List exchanges, newest first."""
    from engine.service.exchanges.listing import list_exchanges

    state: State = ctx.obj
    from engine.service.deadlines.listing import light_of_answer, of_exchanges

    found = list_exchanges(state.app, state.actor, status=status, case=case, limit=limit, offset=offset)
    legal = of_exchanges(state.app, state.actor, [e.id for e in found])
    lights = {
        e.id: light_of_answer(state.app, state.actor.authority_id, e.answer_due, e.answered_at) for e in found
    }
    if json:
        print_json([{**plain(e), "light": lights[e.id], "deadline": legal.get(e.id)} for e in found])
        return
    rows = [
        (
            *(short(e.id), e.own_reference, e.subject, e.recipient_id, e.status, e.created_at, e.answer_due),
            *brief(legal.get(e.id), lights[e.id]),
        )
        for e in found
    ]
    columns = ["Nummer", "Aktenzeichen", "Betreff", "an", "Stand", "seit", "Antwort bis", "Frist", "Ampel"]
    table(columns, rows, "Austausche (exchanges)")


@app.command()
def show(ctx: typer.Context, exchange: str, json: Json = False) -> None:
    """Show an exchange with its dispatches (Sendungen), facts and evidence (Nachweise)."""
    from engine.service.deadlines.listing import light_of_answer
    from engine.service.exchanges.listing import show_exchange

    state: State = ctx.obj
    found = show_exchange(state.app, state.actor, exchange)
    if json:
        print_json(found)
        return
    typer.echo(f"{found['subject']}  [{found['status']}]  {found['id']}")
    if found["answer_due"]:
        due = light_of_answer(state.app, found["authority_id"], found["answer_due"], found["answered_at"])
        typer.echo(f"Antwort erbeten bis (answer due): {cell(found['answer_due'])}  {light_text(due)}")
    sent = [
        (d["number"], d["channel"], d["state"], d["handed_over_at"], d["carrier_reference"], d["reason"])
        for d in found["dispatches"]
    ]
    table(["Nr.", "Kanal", "Stand", "übergeben", "Kennung", "Grund"], sent, "Sendungen (dispatches)")
    known = [
        (short(f["id"]), f["kind"], f["at"], f["source"], f["recorded_by"], f["withdrawn_at"])
        for f in found["facts"]
    ]
    columns = ["Nummer", "Tatsache", "Zeit", "Quelle", "festgehalten von", "zurückgenommen"]
    table(columns, known, "Tatsachen (facts)")
    deadline_table(found["deadlines"])
    rows = [(e["kind"], e["name"], e["sha256"][:12], e["at"]) for e in found["evidence"]]
    table(["Art", "Name", "SHA-256", "Zeit"], rows, "Nachweise (evidence)")


@app.command()
def explain(ctx: typer.Context, exchange: str, json: Json = False) -> None:
    """Say why this channel, and why not each other one."""
    from engine.service.exchanges.listing import explain_exchange

    state: State = ctx.obj
    found = explain_exchange(state.app, state.actor, exchange)
    if json:
        print_json(found)
        return
    typer.echo(found["subject"])
    for made in found["decisions"]:
        _decision(f"dispatch {made['number']}: {made['state']}", made["decision"])
    if found["now"]:
        _decision("if it were sent now", found["now"])


def _decision(title: str, decision: Mapping[str, Any]) -> None:
    rows = [(c["channel"], c["verdict"], "\n".join(c["reasons"])) for c in decision["considered"]]
    table(["Kanal", "Urteil", "warum"], rows, f"{title}; intended {decision['intended']}")
