"""Commands that the eGo-MAIL adapter brings: ``dienstweg intermediary`` and ``dienstweg ego-mail``."""

from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    no_args_is_help=True,
    help="A small OSCI intermediary for tests and trial. NOT for production.",
)

ego_mail = typer.Typer(
    no_args_is_help=True, help="eGo-MAIL: write down a partner's terms, take partners from the DVDV."
)

Home = Annotated[Path, typer.Option("--home", help="Folder for its keys, database and attachments.")]


@app.command()
def serve(
    home: Home = Path("intermediary"),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8765,
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM file; with --tls-key.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM file; with --tls-certificate.")] = None,
    max_mb: Annotated[int, typer.Option(help="Greatest message, in MB of 1,000,000 bytes.")] = 64,
    allow_unencrypted: Annotated[
        bool, typer.Option(help="Take orders without transport encryption; anybody can open any mailbox.")
    ] = False,
    forward_to: Annotated[
        list[str] | None, typer.Option(help="URI prefix of passive recipients it may call; repeatable.")
    ] = None,
) -> None:
    """Serve until interrupted; makes its own keys on first use."""
    from adapters.ego_mail.intermediary.cases import IntermediarySettings
    from adapters.ego_mail.intermediary.service import IntermediaryService
    from adapters.ego_mail.intermediary.serving import Binding, make_keys, serve
    from adapters.ego_mail.osci.client import Identity
    from adapters.ego_mail.osci.http import HttpTransport
    from engine.clock import SystemClock
    from engine.identifiers import RandomIds

    clock, ids = SystemClock(), RandomIds()
    keys = make_keys(home / "keys", clock)
    service = IntermediaryService(
        home,
        Identity(keys.signature.signer(), keys.cipher.decrypter()),
        clock=clock,
        ids=ids,
        settings=IntermediarySettings(
            max_message_bytes=max_mb * 1_000_000,
            allow_unencrypted=allow_unencrypted,
            forward_to=tuple(forward_to or ()),
        ),
        transport=HttpTransport(timeout=30) if forward_to else None,
    )
    typer.echo("Trial intermediary: not for production. It checks no revocation and keeps what it gets.")
    typer.echo(f"Certificates for its clients: {home / 'keys'}/cipher.cer.pem and signature.cer.pem")
    try:
        serve(
            service,
            Binding(host, port, tls_certificate, tls_key),
            lambda address: typer.echo(f"Listening on {address}"),
        )
    finally:
        service.close()


@app.command()
def mailboxes(
    home: Home = Path("intermediary"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
) -> None:
    """List mailboxes and how many deliveries wait in each."""
    import json

    from adapters.ego_mail.intermediary.listing import list_mailboxes

    rows = list_mailboxes(home)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        typer.echo(f"{row['waiting']:>6} waiting  {row['total']:>6} in all  {row['name']}")
    if not rows:
        typer.echo("No mailboxes yet: they open with their first delivery.")


@ego_mail.command("import-dvdv")
def import_dvdv(
    ctx: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(help="Answers of the DVDV as JSON: organizations, services.")
    ],
    authority: Annotated[
        str | None, typer.Option(help="Key or name of whom services belong to that no answer describes.")
    ] = None,
    channel: Annotated[str, typer.Option(help="The mailboxes' channel.")] = "xdomea+ego_mail",
    yes: Annotated[bool, typer.Option("--yes", help="Apply the changes; else they are only shown.")] = False,
) -> None:
    """Take addresses and certificates of partners from the DVDV: shown first, applied with --yes.

    A mailbox that changes is ended the day before, and opened anew with its old terms.
    """
    from adapters.ego_mail.dvdv import DvdvRefusedError, read
    from adapters.ego_mail.dvdv_changes import changes_of
    from adapters.ego_mail.settings import Configuration
    from engine.actor import Role
    from engine.clock import local_day
    from engine.service.access import require
    from engine.service.directory.authorities import show_authority
    from engine.service.directory.mailboxes import find_mailbox, replace_mailboxes

    state: Any = ctx.obj
    require(state.actor, Role.ADMIN)
    app, now = state.app, state.app.clock.now()
    found = read(files)
    key = show_authority(app, state.actor, authority).id if authority else None
    with app.read() as tx:
        every = {*found.names, *([key] if key else [])}
        boxes = {each: find_mailbox(tx, each, channel, local_day(now)) for each in every}
    senders = Configuration(app.settings.home, app.settings.adapters.get("ego_mail", {})).senders_folder()
    known = {each: box for each, box in boxes.items() if box is not None}
    changes = changes_of(found, key, channel, known, senders, now)
    if not changes:
        raise DvdvRefusedError("the files name no key of a municipality (ags:…)")
    for change in changes:
        show_authority(app, state.actor, change.authority_id)
        typer.echo(f"{change.authority_id} {change.name}{'' if change.lines else ': all is known already'}")
        for line in change.lines:
            typer.echo(f"    {line}")
    if senders is None:
        typer.echo("Signature certificates are left out: [adapters.ego_mail] names no folder 'senders'.")
    if not any(change.lines for change in changes):
        return
    if not yes:
        typer.echo("Nothing was changed; repeat with --yes.")
        return
    written = []
    for change in changes:
        if change.senders is not None and senders is not None:
            temporary = senders / f"{change.authority_id}.tmp"
            temporary.write_bytes(change.senders)
            written.append(temporary)
    # Files take their names once the mailboxes are in: what is refused leaves both as they were.
    try:
        boxes_wanted = [change.mailbox for change in changes if change.mailbox is not None]
        replace_mailboxes(app, state.actor, boxes_wanted)
        for temporary in written:
            temporary.replace(temporary.with_suffix(".pem"))
    finally:
        for temporary in written:
            temporary.unlink(missing_ok=True)
    typer.echo("Applied. 'dienstweg work' reads new senders when it starts.")


@ego_mail.command()
def terms(
    certificate: Annotated[Path, typer.Argument(help="The partner's cipher certificate, PEM or DER.")],
    limit: Annotated[str, typer.Option(help="What max-bytes is meant for: message or file.")] = "message",
    versions: Annotated[
        list[str] | None, typer.Option("--version", help="xdomea version it takes; repeatable.")
    ] = None,
) -> None:
    """Print the settings of a partner's mailbox as JSON, for 'dienstweg mailbox add --settings @FILE'."""
    import json

    from cryptography.hazmat.primitives.serialization import Encoding

    from adapters.ego_mail.osci.keys import load_certificates

    if limit not in ("message", "file"):
        raise typer.BadParameter("message or file", param_hint="--limit")
    text = load_certificates(certificate)[0].public_bytes(Encoding.PEM).decode("ascii")
    settings: dict[str, Any] = {"certificate": text, "limit": limit}
    if versions:
        settings["versions"] = versions
    typer.echo(json.dumps(settings, ensure_ascii=False, indent=2))
