"""Readiness in a terminal of 80 columns: a matrix of symbols, and a list of what to do."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from cli.migration.scope import NOTHING_SENDS
from cli.show import console_, table

if TYPE_CHECKING:
    from engine.migration.readiness import Gain, Obstacle, Tally
    from engine.service.migration.probing import Probe
    from engine.service.migration.readiness import Report

LETTERS = {
    "not-yet": "Z",
    "ended": "Z",
    "form-class": "F",
    "no-signer": "S",
    "no-substitute": "S",
    "too-large": "G",
    "format": "M",
    "no-common-version": "V",
    "no-such-message": "V",
    "bad-mapping": "V",
    "certificate-expired": "C",
    "certificate-untrusted": "C",
    "certificate-usage": "C",
    "no-address": "A",
}
CLOSED = ("recipient", "no-mailbox")
LEGEND = (
    "● alle bereit  ◐ bereit/alle  ○ keine bereit  · nicht eröffnet",
    "Z Zugang (eigener fehlt, noch nicht oder nicht mehr offen)  F Form  S Signatur",
    "G Größe  M Format  V Version  C Zertifikat  A Anschrift  T Technik",
    "? nie erprobt  ! Hinweis: --list",
)
REMEDIES = {
    ("recipient", "no-mailbox"): "ask them to open it, then 'mailbox add'",
    ("recipient", "not-yet"): "wait for the day, or ask them to open earlier",
    ("recipient", "ended"): "ask for the new access, then 'mailbox add'",
    ("recipient", "form-class"): "agree on the form class, or check whether the law still asks for it",
    ("recipient", "too-large"): "agree on a larger limit, or send less",
    ("recipient", "format"): "agree on the format, or attach another one",
    ("recipient", "no-common-version"): "agree on a version that both know",
    ("recipient", "no-such-message"): "agree on a version that has this message",
    ("recipient", "certificate-expired"): "ask for the new certificate",
    ("recipient", "certificate-untrusted"): "trust its issuer, or pin it",
    ("recipient", "certificate-usage"): "ask for the certificate for encryption",
    ("recipient", "bad-settings"): "mend the mailbox: 'mailbox end', then 'mailbox add'",
    ("recipient", "no-address"): "import the postal address: 'authority import'",
    ("recipient", "no-folder"): "mount or make the folder",
    ("recipient", "unwritable"): "give the right to write",
    ("recipient", "unknown-authority"): "import the authority",
    ("sender", "no-mailbox"): "open the own mailbox, then 'mailbox add'",
    ("recipient", "no-substitute"): "agree on what it takes instead of a signature on paper",
    ("sender", "no-signer"): "configure a seal, or agree on another substitute",
    ("sender", "bad-settings"): "mend the own settings; 'mailbox check' tells more",
    ("sender", "certificate-expired"): "renew the own certificate",
    ("sender", "bad-mapping"): "mend the message type's mapping",
    ("sender", "mapping"): "mend the message type's mapping",
    ("sender", "no-adapter"): "install the adapter",
    ("channel", "untested"): "'mailbox check', or a shadow switch",
    ("recipient", "ill"): "'mailbox check' tells whether it works again",
    ("sender", "ill"): "'mailbox check' tells whether it works again",
    ("recipient", "ends-soon"): "ask for the new certificate in time",
    ("sender", "ends-soon"): "renew in time",
    ("recipient", "closes-soon"): "ask what comes after it",
    ("sender", "closes-soon"): "decide what comes after it",
}
READY = {"ready": "ja", "partly": "teils", "blocked": "nein"}
_WIDE = 24


def show_matrix(report: "Report", by: str, probed: "Probe | None") -> None:
    """Print lines × channels; channels stand as numbers, with a legend below."""
    head = {"recipient": "an", "sender": "von", "step": "Schritt"}[by]
    columns = [head, *(str(number) for number, _ in enumerate(report.channels, 1))]
    ordered = sorted(report.matrix.items(), key=lambda row: (-_volume(row[1].values()), row[0]))
    rows = [
        [_name(report, key), *(_cell(cells[channel]) for channel in report.channels)]
        for key, cells in ordered
    ]
    _summary(report, probed)
    table(columns, rows)
    for number, channel in enumerate(report.channels, 1):
        typer.echo(f"{number} = {channel}")
    for line in LEGEND:
        typer.echo(line)
    _rankings(report)


def _summary(report: "Report", probed: "Probe | None") -> None:
    if probed is not None:
        ill = sum(not each.ok for each in probed.looked)
        left = f", {probed.left} not looked at: no time" if probed.left else ""
        typer.echo(f"probed: {len(probed.looked)} mailboxes, {ill} do not work{left}")
    typer.echo(
        f"electronically possible: {report.electronic} of {report.relations} relations, "
        f"{report.electronic_volume} of n = {report.volume} exchanges in 12 months"
    )
    if not report.relations:
        typer.echo(NOTHING_SENDS)
    elif list(report.channels) == ["letter+post"]:
        typer.echo(
            "no electronic mailbox is recorded: 'mailbox add', or ask what one would bring: "
            "--what-if 'mailbox AGS xdomea+folder'"
        )


def _volume(tallies: Iterable["Tally"]) -> int:
    return max((tally.volume for tally in tallies), default=0)


def _name(report: "Report", key: str) -> str:
    procedure, _, element = key.partition(" ")
    name = report.names.get(key) or f"{element} {procedure}"
    return name if len(name) <= _WIDE else f"{name[: _WIDE - 1]}…"


def _cell(tally: "Tally") -> str:
    """Return symbol, share and letters of one field."""
    marks = ("?" if tally.remarks.get("untested") else "") + (
        "!" if set(tally.remarks) - {"untested"} else ""
    )
    if tally.relations and tally.ready == tally.relations and not tally.partly:
        return f"●{marks}"
    codes = {code for side, code in tally.codes if (side, code) != CLOSED}
    letters = "".join(sorted({LETTERS.get(code, "Z" if code == "no-mailbox" else "T") for code in codes}))
    if tally.ready:
        return f"◐{tally.ready}/{tally.relations} {letters}{marks}"
    return f"○{letters}" if letters else "·"


def show_singles(report: "Report", limit: int, probed: "Probe | None") -> None:
    """Print relations one by one with what each channel can do; most figures first."""
    _summary(report, probed)
    rows = [
        (
            f"{one.key[0]}\n{one.key[1]}",
            report.names.get(one.key[2], one.key[2]),
            report.names.get(one.key[3], one.key[3]),
            one.channel,
            READY[one.verdict.grade.value],
            "; ".join(f"{each.side}: {each.message} [{each.code}]" for each in one.verdict.blockers),
            one.volume,
        )
        for one in report.singles[:limit]
    ]
    table(
        ["Beziehung", "von", "an", "Kanal", "bereit", "was im Weg steht", "n"],
        rows,
        "Bereitschaft (readiness)",
    )
    if len(report.singles) > limit:
        typer.echo(f"… and {len(report.singles) - limit} more (--limit, --csv)")
    _rankings(report)


def show_list(report: "Report", limit: int, probed: "Probe | None") -> None:
    """Print what is in the way and what should be known, each with what to do; most figures first."""
    _summary(report, probed)
    closed = [one for one in report.obstacles if (one.side, one.code) == CLOSED and not one.volume]
    others = [one for one in report.obstacles if not ((one.side, one.code) == CLOSED and not one.volume)]
    for title, blocks in (("in the way", True), ("to be known", False)):
        shown = [one for one in others if one.blocks is blocks]
        if shown:
            typer.echo(f"{title}:")
        for one in shown[:limit]:
            typer.echo(_line(report, one))
        if len(shown) > limit:
            typer.echo(f"  … and {len(shown) - limit} more (--limit, --csv)")
    by_channel: dict[str, int] = {}
    for one in closed:
        by_channel[one.channel] = by_channel.get(one.channel, 0) + 1
    for channel, count in sorted(by_channel.items()):
        typer.echo(f"  {channel}: {count} without figures have opened nothing")
    _rankings(report)


def _line(report: "Report", one: "Obstacle") -> str:
    who = report.names.get(one.authority, one.authority)
    place = f"{who} ({one.side})" if who else one.side
    remedy = REMEDIES.get((one.side, one.code), "see the message")
    return (
        f"  {one.channel}, {place}: {one.message} [{one.code}]\n"
        f"      {one.relations} relations, n = {one.volume}; {remedy}"
    )


def _rankings(report: "Report") -> None:
    if report.what_if is not None:
        typer.echo(f"what if: {_boxes(report, report.what_if)}")
        typer.echo(f"    {_brings(report.what_if)} would become ready")
        for (side, code, message), count in report.what_if.still.most_common(5):
            typer.echo(f"    still in the way ({side}): {message} [{code}], {count} relations")
    if report.worth_switching:
        rows = [
            (_name(report, one.recipient), one.channel, one.relations, one.volume, one.paper)
            for one in report.worth_switching
        ]
        console_().print()
        table(
            ["an", "Kanal", "Beziehungen", "n", "Papier"],
            rows,
            "Bereit, noch per Post (worth switching next)",
        )
    if report.worth_opening:
        rows = [
            (_name(report, box.authority_id), box.channel, gain.relations, gain.volume, gain.paper)
            for gain in report.worth_opening
            for box in gain.mailboxes
        ]
        console_().print()
        table(["wer", "Kanal", "Beziehungen", "n", "Papier"], rows, "Lohnt zu öffnen (worth opening next)")


def _boxes(report: "Report", gain: "Gain") -> str:
    return ", ".join(f"{report.names.get(box.authority_id)} on {box.channel}" for box in gain.mailboxes)


def _brings(gain: "Gain") -> str:
    return f"{gain.relations} relations, n = {gain.volume} ({gain.paper} on paper)"
