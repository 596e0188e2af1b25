"""``dienstweg migration readiness``."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.migration.scope import District, Procedure, Recipient, Sender, Step, make_scope
from cli.show import Csv, Json, plain, print_csv, print_json
from cli.state import State

if TYPE_CHECKING:
    from engine.migration.readiness import Gain, Single, Tally
    from engine.service.migration.probing import Probe
    from engine.service.migration.readiness import Report

app = typer.Typer()


@app.command()
def readiness(
    ctx: typer.Context,
    procedure: Procedure = None,
    step: Step = None,
    sender: Sender = None,
    recipient: Recipient = None,
    district: District = None,
    channel: Annotated[
        list[str] | None,
        typer.Option(help="Only this channel; repeatable. Default: all that anybody opened."),
    ] = None,
    by: Annotated[str, typer.Option(help="Lines: recipient, sender, step, or every relation.")] = "recipient",
    list_: Annotated[
        bool, typer.Option("--list", help="List what is in the way, and who mends it how.")
    ] = False,
    what_if: Annotated[
        list[str] | None,
        typer.Option(
            help="'mailbox AGS CHANNEL [form=… max-bytes=… formats=…]': as if it were open; repeatable."
        ),
    ] = None,
    probe: Annotated[bool, typer.Option("--probe", help="First look at the mailboxes, live.")] = False,
    probe_seconds: Annotated[int, typer.Option(min=1, help="With --probe: begin no look later.")] = 60,
    limit: Annotated[int, typer.Option(min=1, help="Lines of the list and the rankings.")] = 20,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Show what could go electronically: ready, or what stands in the way on either side.

    Ready means that the send job would take the channel, were it switched. Sizes and formats are those of
    the last twelve months.
    """
    from cli.migration import readiness_shown
    from engine.service.migration.probing import probe as look
    from engine.service.migration.readiness import Wish, readiness

    state: State = ctx.obj
    scope = make_scope(procedure, step, sender, recipient, district)
    probed = look(state.app, state.actor, scope, probe_seconds) if probe else None
    wish = Wish(scope, channel or (), by, what_if or (), limit)
    report = readiness(state.app, state.actor, wish)
    if json:
        print_json(_plain(report, probed))
    elif csv:
        _csv(report, by, list_=list_)
    elif list_:
        readiness_shown.show_list(report, limit, probed)
    elif by == "relation":
        readiness_shown.show_singles(report, limit, probed)
    else:
        readiness_shown.show_matrix(report, by, probed)


def _csv(report: "Report", by: str, *, list_: bool) -> None:
    if list_:
        columns = [
            "channel",
            "side",
            "authority",
            "name",
            "code",
            "message",
            "blocks",
            "relations",
            "n",
            "steps",
        ]
        rows: list[tuple[Any, ...]] = [
            (
                one.channel,
                one.side,
                one.authority,
                report.names.get(one.authority, ""),
                one.code,
                one.message,
                one.blocks,
                one.relations,
                one.volume,
                sorted(one.steps),
            )
            for one in report.obstacles
        ]
    elif by == "relation":
        columns = [
            "procedure",
            "step",
            "sender",
            "recipient",
            "name",
            "channel",
            "ready",
            "n",
            "blockers",
            "remarks",
        ]
        rows = [
            (
                *one.key,
                report.names.get(one.key[3], ""),
                one.channel,
                one.verdict.grade.value,
                one.volume,
                [f"{each.side}: {each.message} [{each.code}]" for each in one.verdict.blockers],
                [each.code for each in one.verdict.remarks],
            )
            for one in report.singles
        ]
    else:
        columns = [
            "row",
            "name",
            "channel",
            "relations",
            "ready",
            "partly",
            "n",
            "ready_n",
            "blockers",
            "remarks",
        ]
        rows = [
            (
                key,
                report.names.get(key, ""),
                channel,
                tally.relations,
                tally.ready,
                tally.partly,
                tally.volume,
                tally.ready_volume,
                [f"{side} {code} {count}" for (side, code), count in tally.codes.most_common()],
                [f"{code} {count}" for code, count in tally.remarks.most_common()],
            )
            for key, cells in report.matrix.items()
            for channel, tally in cells.items()
        ]
    print_csv(columns, rows)


def _plain(report: "Report", probed: "Probe | None") -> dict[str, Any]:
    return {
        "relations": report.relations,
        "electronic": report.electronic,
        "n": report.volume,
        "electronic_n": report.electronic_volume,
        "channels": list(report.channels),
        "matrix": [
            {
                "key": key,
                "name": report.names.get(key),
                "channels": {channel: _tally(tally) for channel, tally in cells.items()},
            }
            for key, cells in report.matrix.items()
        ],
        "obstacles": [{**plain(one), "steps": sorted(one.steps)} for one in report.obstacles],
        "what_if": _gain(report.what_if) if report.what_if else None,
        "worth_opening": [_gain(gain) for gain in report.worth_opening],
        "worth_switching": plain(report.worth_switching),
        "probe": plain(probed) if probed else None,
        "singles": [_single(one) for one in report.singles],
    }


def _tally(tally: "Tally") -> dict[str, Any]:
    return {
        "relations": tally.relations,
        "ready": tally.ready,
        "partly": tally.partly,
        "n": tally.volume,
        "ready_n": tally.ready_volume,
        "blockers": [
            {"side": side, "code": code, "relations": count}
            for (side, code), count in tally.codes.most_common()
        ],
        "remarks": dict(tally.remarks),
    }


def _single(one: "Single") -> dict[str, Any]:
    names = ("procedure", "step", "sender", "recipient")
    return {
        **dict(zip(names, one.key, strict=True)),
        "channel": one.channel,
        "ready": one.verdict.grade.value,
        "n": one.volume,
        "blockers": plain(one.verdict.blockers),
        "remarks": plain(one.verdict.remarks),
    }


def _gain(gain: "Gain") -> dict[str, Any]:
    return {
        "mailboxes": [
            {
                "authority": box.authority_id,
                "channel": box.channel,
                "form_classes": [form.value for form in box.form_classes],
                "max_bytes": box.max_bytes,
            }
            for box in gain.mailboxes
        ],
        "relations": gain.relations,
        "n": gain.volume,
        "paper": gain.paper,
        "still_in_the_way": [
            {"side": side, "code": code, "message": message, "relations": count}
            for (side, code, message), count in gain.still.most_common(20)
        ],
    }
