"""Figures across installations: signed reports out, reports of trusted partners in."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, delete, func, insert, select, update

from engine.actor import Actor, Role
from engine.errors import EnvironmentFaultError, NotFoundError
from engine.migration.ledger import LOCAL_ZONE, month_of, months_between
from engine.migration.reports import (
    Report,
    ReportRefusedError,
    fingerprint,
    public_key,
    read_report,
    write_report,
)
from engine.migration.status import checked_months
from engine.service.access import require
from engine.service.migration import totals
from engine.service.migration.ledger import own_months, write_months
from engine.service.migration.scope import senders
from engine.store.locks import lock_name
from engine.store.tables import audit, authorities, ledger_months, ledger_partners, ledger_reports

if TYPE_CHECKING:
    from engine.service.installation import Installation

KEY_FILE = "report.key"
_SKEW = timedelta(hours=1)
"""So far may the partner's clock be ahead of ours."""


class PartnerUnknownError(NotFoundError):
    """No such partner is trusted."""


class ReportFileError(EnvironmentFaultError):
    """The report's file, or the key to sign it with, cannot be read or written."""


@dataclass(frozen=True, slots=True)
class Partner:
    """Another installation whose reports are taken."""

    id: str
    name: str
    fingerprint: str
    senders: tuple[str, ...]
    trusted_at: datetime
    trusted_by: str
    until: str | None
    """Last month it has reported."""
    made_at: datetime | None
    """When it made its last report."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    partner: str
    months: tuple[str, ...]
    """Months whose figures were written; empty: this very report was there already."""
    exchanges: int


def export_report(
    app: "Installation", actor: Actor, *, since: str | None = None, until: str | None = None
) -> str:
    """Return the signed months of all own authorities as JSON text, without personal data.

    It covers every month from the installation's beginning, or ``since``, to this one, or ``until``: a month
    of which nothing is left replaces what was reported of it before. The key to sign with is made at the
    first export. Raises RoleMissingError, StatusRefusedError for a month that is none, ReportFileError where
    the key cannot be kept.
    """
    require(actor, Role.INSTALLATION)
    first, last = checked_months(since, until)
    now = app.clock.now()
    with app.read() as tx:
        own = senders(tx, actor)
        named = select(authorities.c.id, authorities.c.name).where(authorities.c.id.in_(own))
        names = {row.id: row.name for row in tx.execute(named)}
        rows = [
            row
            for row in own_months(tx)
            if row["authority_id"] in names
            and (first is None or row["month"] >= first)
            and (last is None or row["month"] <= last)
        ]
        began = tx.scalar(select(func.min(audit.c.at))) or now
    counted = {month_of(began), month_of(now), *(row["month"] for row in rows)}
    months = months_between(first or min(counted), min(last or max(counted), max(counted)))
    return write_report(own_key(app), app.settings.code, names, now, months, rows)


def own_key(app: "Installation") -> Ed25519PrivateKey:
    """Return the installation's signing key; it is made, readable by its owner only, where there is none."""
    path = app.settings.home / KEY_FILE
    try:
        if not path.exists():
            temporary = path.with_suffix(".tmp")
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(app.ids.token(32).hex())
                file.flush()
                os.fsync(file.fileno())
            os.link(temporary, path)  # never over a key that somebody else has just made
            temporary.unlink()
    except FileExistsError:
        temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ReportFileError(f"cannot keep the key {path}: {error.strerror}") from error
    try:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text(encoding="ascii").strip()))
    except (OSError, ValueError) as error:
        raise ReportFileError(
            f"the key {path} cannot be used: {error}", hint="bring it back from a backup; partners trust it"
        ) from error


def own_fingerprint(app: "Installation", actor: Actor) -> str:
    """Return the fingerprint that partners compare before they trust our reports."""
    require(actor, Role.INSTALLATION)
    return fingerprint(public_key(own_key(app)))


def read_file(path: Path) -> Report:
    """Return the report in a file; raise ReportFileError, ReportRefusedError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ReportFileError(f"cannot read {path}: {error.strerror}") from error
    try:
        return read_report(content)
    except ReportRefusedError as error:
        raise ReportRefusedError(error.message, where=str(path), hint=error.hint) from error


def trust(app: "Installation", actor: Actor, report: Report, confirmed: str) -> Partner:
    """Trust the installation that signed ``report`` for the authorities it reports of.

    ``confirmed`` is the fingerprint as the partner gave it on another way: only the right one counts.
    Repeated for a trusted key it renews the authorities. Raises ReportRefusedError, RoleMissingError.
    """
    require(actor, Role.INSTALLATION)
    if _plain(confirmed) != _plain(report.fingerprint):
        raise ReportRefusedError(
            f"the file's key has the fingerprint {report.fingerprint}, not the one you gave",
            hint="ask the partner for its fingerprint: dienstweg migration ledger key",
        )
    with app.write() as tx:
        lock_name(tx, "ledger-partners")
        _refuse_senders(tx, app, actor, report)
        known = tx.scalar(select(ledger_partners.c.id).where(ledger_partners.c.public_key == report.key))
        values = {
            "name": report.installation,
            "senders": sorted(report.senders),
            "trusted_at": app.clock.now(),
            "trusted_by": actor.person_id,
        }
        partner = known or str(app.ids.new())
        if known:
            tx.execute(update(ledger_partners).where(ledger_partners.c.id == known).values(**values))
        else:
            row = {"id": partner, "authority_id": actor.authority_id, "public_key": report.key, **values}
            tx.execute(insert(ledger_partners).values(**row))
        _audit(app, tx, actor, "ledger.trust", {"partner": partner, "senders": values["senders"]})
    return next(one for one in list_partners(app, actor) if one.id == partner)


def _refuse_senders(tx: Connection, app: "Installation", actor: Actor, report: Report) -> None:
    """Only the sender counts an exchange: nobody reports of our own authorities, or of another partner's."""
    if report.key == public_key(own_key(app)):
        raise ReportRefusedError("this is a report of this installation itself")
    own = set(senders(tx, actor)).intersection(report.senders)
    if own:
        raise ReportRefusedError(
            f"the report speaks of {', '.join(sorted(own))}, whose sends are counted here",
            hint="an authority belongs to one installation: 'dienstweg authority list' shows the own ones",
        )
    for row in tx.execute(select(ledger_partners).where(ledger_partners.c.public_key != report.key)):
        shared = set(row.senders).intersection(report.senders)
        if shared:
            raise ReportRefusedError(
                f"{', '.join(sorted(shared))} is reported by {row.name} already",
                hint=f"if it has moved: dienstweg migration ledger distrust {row.id[:8]}",
            )


def import_report(app: "Installation", actor: Actor, report: Report) -> Imported:
    """Take a report of a trusted partner; its months replace those of an older report.

    All or nothing, and the same report twice is one. Raises ReportRefusedError (not trusted, older than what
    is there, from the future, of authorities the partner is not trusted for), RoleMissingError.
    """
    require(actor, Role.INSTALLATION)
    now = app.clock.now()
    if report.made_at > now + _SKEW:
        made = report.made_at.astimezone(LOCAL_ZONE)
        raise ReportRefusedError(
            f"the report was made at {made:%Y-%m-%d %H:%M}, which is yet to come",
            hint="one of the two clocks is wrong: mend it, then export again",
        )
    late = [month for month in report.months if month > month_of(report.made_at)]
    if late:
        raise ReportRefusedError(f"the report speaks of {late[0]}, which had not begun when it was made")
    with app.write() as tx:
        lock_name(tx, "ledger-partners")
        partner = _trusted(tx, report)
        _refuse_senders(tx, app, actor, report)
        there = {
            row.month: row
            for row in tx.execute(select(ledger_reports).where(ledger_reports.c.partner_id == partner.id))
            if row.month in report.months
        }
        _refuse_older(report, list(there.values()))
        fresh = [month for month in report.months if _renews(report, there.get(month))]
        if fresh:
            _replace(tx, app, partner, report, fresh)
            _audit(app, tx, actor, "ledger.import", {"partner": partner.id, "months": fresh})
    exchanges = sum(row["exchanges"] for key, row in report.rows.items() if key[4] in fresh)
    return Imported(partner.name, tuple(fresh), exchanges)


def _trusted(tx: Connection, report: Report) -> Any:
    partner = tx.execute(select(ledger_partners).where(ledger_partners.c.public_key == report.key)).first()
    if partner is None:
        raise ReportRefusedError(
            f"{report.installation} (key {report.fingerprint}) is not trusted here",
            hint="compare the fingerprint with the partner, then: dienstweg migration ledger trust FILE",
        )
    unknown = sorted(set(report.senders) - set(partner.senders))
    if unknown:
        raise ReportRefusedError(
            f"{partner.name} is not trusted to report of {', '.join(unknown)}",
            hint="if that is right: dienstweg migration ledger trust FILE",
        )
    return partner


def _refuse_older(report: Report, there: Sequence[Any]) -> None:
    for row in there:
        if row.made_at > report.made_at:
            newer, older = (at.astimezone(LOCAL_ZONE) for at in (row.made_at, report.made_at))
            raise ReportRefusedError(
                f"of {row.month} there is a newer report, made {newer:%Y-%m-%d %H:%M}; "
                f"this one was made {older:%Y-%m-%d %H:%M}",
                hint="nothing was changed; ask the partner for a new export",
            )
        if row.made_at == report.made_at and row.digest != report.digest:
            raise ReportRefusedError(
                f"of {row.month} there is another report made at the same instant",
                hint="nothing was changed; ask the partner for a new export",
            )


def _renews(report: Report, there: Any) -> bool:
    return there is None or there.made_at < report.made_at


def _replace(
    tx: Connection, app: "Installation", partner: Any, report: Report, months: Sequence[str]
) -> None:
    of_months = ledger_reports.c.month.in_(months)
    tx.execute(delete(ledger_reports).where(ledger_reports.c.partner_id == partner.id, of_months))
    earlier = ledger_months.c.source == partner.id, ledger_months.c.month.in_(months)
    pairs = totals.pairs_of_months(tx, *earlier)
    tx.execute(delete(ledger_months).where(*earlier))
    fresh = {key: row for key, row in report.rows.items() if key[4] in months}
    write_months(tx, fresh, partner.id)
    totals.add_up(tx, pairs | {(key[0], key[4]) for key in fresh})
    tx.execute(
        insert(ledger_reports),
        [
            {
                "partner_id": partner.id,
                "month": month,
                "authority_id": partner.authority_id,
                "made_at": report.made_at,
                "imported_at": app.clock.now(),
                "digest": report.digest,
            }
            for month in months
        ],
    )


def list_partners(app: "Installation", actor: Actor) -> list[Partner]:
    """Return the trusted installations, and until when each has reported; raise RoleMissingError."""
    require(actor, Role.INSTALLATION)
    with app.read() as tx:
        found = []
        for row in tx.execute(select(ledger_partners).order_by(ledger_partners.c.name)):
            months = tx.execute(
                select(ledger_reports.c.month, ledger_reports.c.made_at)
                .where(ledger_reports.c.partner_id == row.id)
                .order_by(ledger_reports.c.month)
            ).all()
            found.append(
                Partner(
                    *(row.id, row.name, fingerprint(row.public_key), tuple(row.senders)),
                    *(row.trusted_at, row.trusted_by),
                    months[-1].month if months else None,
                    max(month.made_at for month in months) if months else None,
                )
            )
        return found


def distrust(app: "Installation", actor: Actor, key: str) -> Partner:
    """Trust a partner no longer and take its figures out; raise PartnerUnknownError, RoleMissingError."""
    known = list_partners(app, actor)
    found = [one for one in known if key and (key in (one.id, one.name) or one.id.startswith(key))]
    if len(found) != 1:
        raise PartnerUnknownError(f"no partner {key!r}", hint="'migration ledger partners' shows them")
    partner = found[0]
    with app.write() as tx:
        lock_name(tx, "ledger-partners")
        pairs = totals.pairs_of_months(tx, ledger_months.c.source == partner.id)
        tx.execute(delete(ledger_months).where(ledger_months.c.source == partner.id))
        totals.add_up(tx, pairs)
        tx.execute(delete(ledger_reports).where(ledger_reports.c.partner_id == partner.id))
        tx.execute(delete(ledger_partners).where(ledger_partners.c.id == partner.id))
        _audit(app, tx, actor, "ledger.distrust", {"partner": partner.id, "name": partner.name})
    return partner


def _plain(text: str) -> str:
    return "".join(text.split()).replace(":", "").lower()


def _audit(app: "Installation", tx: Connection, actor: Actor, action: str, details: dict[str, Any]) -> None:
    tx.execute(
        insert(audit).values(
            id=str(app.ids.new()),
            authority_id=actor.authority_id,
            at=app.clock.now(),
            actor=actor.person_id,
            action=action,
            details=details,
        )
    )
