"""``dienstweg letter``."""

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.errors import RefusedError

if TYPE_CHECKING:
    from engine.exchange.ports import Party

app = typer.Typer(help="Letters (Briefe): preview what a step would print.", no_args_is_help=True)


class PreviewRefusedError(RefusedError):
    """The preview's options cannot be used."""


@app.callback()
def letter() -> None:
    """Letters (Briefe): preview what a step would print."""


@app.command()
def preview(
    ctx: typer.Context,
    procedure: Annotated[
        str, typer.Argument(help="Key of a shipped procedure, a package's folder, or a template file.")
    ],
    step: Annotated[
        str | None, typer.Argument(help="Id of the sending step, or key of the message type.")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="JSON object or @FILE; without it data is made up from the schema.")
    ] = None,
    out: Annotated[Path, typer.Option(help="A .pdf, or a .png for one picture a page.")] = Path("letter.pdf"),
    attach: Annotated[list[Path] | None, typer.Option(help="Attachment; repeatable.")] = None,
    answer_by: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day until which an answer is asked for.")
    ] = None,
    answer_to: Annotated[str | None, typer.Option(help="The partner's printed code.")] = None,
    sender: Annotated[
        str | None, typer.Option("--from", help='{"name", "unit", "address": [], "contact": {}} or @FILE.')
    ] = None,
    recipient: Annotated[str | None, typer.Option("--to", help="Like --from.")] = None,
    test: Annotated[bool, typer.Option("--test", help="Mark it as a test.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print a letter into a file as a step would send it; nothing is sent, no installation is needed."""
    from tempfile import TemporaryDirectory

    from adapters.letter.preview import RECIPIENT, SENDER, Wish, find_message_type, pictures
    from adapters.letter.preview import preview as set_letter
    from engine.identifiers import RandomIds

    if out.suffix.lower() not in (".pdf", ".png"):
        raise PreviewRefusedError(f"--out is {str(out)!r}", hint="name a .pdf or a .png file")
    missing = [path for path in attach or () if not path.is_file()]
    if missing:
        raise PreviewRefusedError(f"{missing[0]} is no file")
    wish = Wish(
        data=None if data is None else _object(data, "--data"),
        attachments=tuple(attach or ()),
        answer_due=answer_by.date() if answer_by else None,
        answer_to=answer_to,
        test=test,
        sender=_party(sender, "--from", SENDER),
        recipient=_party(recipient, "--to", RECIPIENT),
    )
    settings = _settings(ctx.obj)
    with TemporaryDirectory() as folder:
        message_type = find_message_type(procedure, step)
        pdf = set_letter(message_type, wish, settings, Path(folder), ctx.obj.clock, RandomIds())
        if out.suffix.lower() == ".pdf":
            written = [out]
            out.write_bytes(pdf.read_bytes())
        else:
            written = []
            for number, picture in enumerate(pictures(pdf), start=1):
                written.append(out.with_name(f"{out.stem}-{number}.png"))
                written[-1].write_bytes(picture)
    if as_json:
        typer.echo(json.dumps({"files": [str(path) for path in written]}))
    else:
        for path in written:
            typer.echo(path)


def _settings(state: Any) -> dict[str, Any]:
    """Return the letterhead settings of the installation at hand; none is needed."""
    from engine.service.settings import FILE, read_settings

    if not (state.folder / FILE).is_file():
        return {}
    found = dict(read_settings(state.folder).adapters.get("letter", {}))
    # The letterhead's paths start at the installation's folder, the preview works elsewhere.
    if "logo" in found:
        found["logo"] = str((state.folder / found["logo"]).absolute())
    return found


def _object(text: str, option: str) -> dict[str, Any]:
    try:
        source = Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text
        value = json.loads(source)
    except (OSError, ValueError) as error:
        raise PreviewRefusedError(
            f"{option} cannot be read: {error}", hint="a JSON object or @FILE"
        ) from error
    if not isinstance(value, dict):
        raise PreviewRefusedError(f"{option} is no JSON object")
    return value


def _party(text: str | None, option: str, default: "Party") -> "Party":
    from engine.exchange.ports import Party

    if text is None:
        return default
    values = _object(text, option)
    try:
        return Party(
            authority_id="preview",
            name=str(values["name"]),
            unit=values.get("unit"),
            address=tuple(str(line) for line in values.get("address", ())),
            contact={str(key): str(value) for key, value in values.get("contact", {}).items()},
        )
    except (KeyError, AttributeError, TypeError) as error:
        raise PreviewRefusedError(f"{option} is no party", hint='{"name": "…", "address": ["…"]}') from error
