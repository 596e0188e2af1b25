"""One installation for several authorities, with people and procedures."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from engine.clock import TurnedClock
from engine.definitions.package import ProcedurePackage, load_package
from engine.service.directory.authorities import seed_authorities
from engine.service.directory.people import add_person
from engine.service.installation import Installation, create_installation, open_installation
from engine.service.migration.ledger import touch
from engine.service.procedures import deploy
from engine.store.tables import exchange_documents, exchanges
from processes.bpmn import shipped
from tests.checking import sandbox

NOON = datetime(2026, 11, 28, 11, tzinfo=UTC)
SAARBRUECKEN, HOMBURG, KIRKEL = "10041100", "10045114", "10045115"
HELP, YOUTH = "vollstreckungshilfe", "jugendamt-fallabgabe"


def packages() -> list[ProcedurePackage]:
    return [load_package(folder) for folder in shipped() if folder.name in (HELP, YOUTH)]


def make(home: Path, own: Sequence[str] = (SAARBRUECKEN, HOMBURG), database_url: str = "") -> Installation:
    """Make it; ``ego`` runs the installation, ``hom`` is Homburg's admin, ``clerk`` Saarbrücken's clerk."""

    def prepare(app: Installation) -> None:
        seed_authorities(app, own)
        roles = ["admin", "installation"]
        add_person(app, person_id="ego", name="E", authority=own[0], roles=roles, by=None)

    create_installation(home, "MANY", prepare=prepare, database_url=database_url)
    app = open_installation(home, clock=TurnedClock(NOON))
    ego = app.actor("ego")
    if HOMBURG in own[1:]:
        # The installation's first admin is nobody in Homburg: its first person is written down directly.
        with app.write() as tx:
            from engine.store.tables import people

            tx.execute(
                insert(people).values(
                    id="hom", authority_id=HOMBURG, name="H", roles=["admin"], units=[], active=True
                )
            )
    add_person(app, person_id="clerk", name="C", authority=own[0], roles=["clerk"], by=ego)
    add_person(app, person_id="sb", name="S", authority=own[0], roles=["admin"], by=ego)
    for package in packages():
        deploy(app, ego, package, sandbox=sandbox())
    return app


def sent(
    app: Installation,
    sender: str,
    recipient: str,
    step: str = "Send_Ersuchen",
    *,
    procedure: str = HELP,
    at: datetime = NOON,
    sizes: Sequence[int] = (),
    media_type: str = "application/pdf",
    form: str = "confidential",
    message_type: str = "vollstreckungsersuchen",
    case_id: str = "",
) -> str:
    """Write down an exchange as a case would have made it; return its id."""
    exchange_id = str(app.ids.new())
    with app.write() as tx:
        tx.execute(
            insert(exchanges).values(
                id=exchange_id,
                authority_id=sender,
                case_id=case_id or f"case-{exchange_id}",
                key=step,
                code_key=exchange_id[:20],
                procedure_key=procedure,
                element_id=step,
                message_type=message_type,
                message_version="1.0",
                recipient_id=recipient,
                form=form,
                subject="s",
                data={},
                fallback="post",
                created_at=at,
                status="open",
            )
        )
        for position, size in enumerate(sizes):
            tx.execute(
                insert(exchange_documents).values(
                    exchange_id=exchange_id,
                    position=position,
                    authority_id=sender,
                    sha256="0" * 64,
                    name="d",
                    media_type=media_type,
                    size=size,
                )
            )
        touch(app, tx, exchange_id)
    return exchange_id
