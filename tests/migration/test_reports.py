"""Figures across installations: signed, only the sender counts, the same report twice is one."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, insert, select

from engine.clock import TurnedClock
from engine.migration.ledger import cell_of
from engine.migration.reports import FORMAT, ReportRefusedError, _canonical, read_report
from engine.migration.scope import Scope
from engine.migration.status import Question
from engine.service.access import RoleMissingError
from engine.service.directory.authorities import seed_authorities
from engine.service.directory.people import add_person
from engine.service.installation import create_installation, open_installation
from engine.service.migration import exporting, ledger
from engine.service.migration.bookings import list_bookings
from engine.service.migration.status import status
from engine.store import tables

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
SAARBRUECKEN, HOMBURG, KIRKEL = "10041100", "10045114", "10045115"


def test_a_month_of_which_nothing_is_left_replaces_what_was_reported_of_it(two):
    sb, hom, clock = two
    book(hom, HOMBURG, KIRKEL, 1, level="B", month=11)
    content = export(hom)
    believe(sb, content)
    take(sb, content)
    assert levels(sb, sender="Homburg") == {"B": 1, "C": 2}
    with hom.write() as tx:
        november = tables.ledger.c.month == "2026-11"
        (cell,) = tx.scalars(select(tables.ledger.c.cell).where(november))
        tx.execute(delete(tables.ledger).where(november))
        mark = {"id": "gone", "authority_id": HOMBURG, "month": "2026-11", "cell": cell}
        tx.execute(insert(tables.ledger_marks).values(**mark))
    clock.turn(timedelta(minutes=5))
    assert take(sb, export(hom)).months[-2:] == ("2026-10", "2026-11")
    assert levels(sb, sender="Homburg") == {"C": 2}
    assert {row["month"] for row in months_of(sb)} == {"2026-10"}
    with sb.read() as tx:
        assert list(ledger.check(tx)) == []


def test_a_report_covers_what_was_asked_for_and_no_month_to_come(two):
    _, hom, _ = two

    def months(**window):
        exported = exporting.export_report(hom, hom.actor("ego"), **window)
        return read_report(exported.encode()).months

    assert months(since="2026-09") == ("2026-09", "2026-10", "2026-11")
    assert months(since="2026-10", until="2026-10") == ("2026-10",)
    assert months(since="2026-11", until="2027-03") == ("2026-11",)
    assert months(since="2027-01") == ()


def found(folder, code, own, clock):
    def prepare(app):
        seed_authorities(app, own)
        add_person(app, person_id="ego", name="E", authority=own[0], roles=["admin", "installation"], by=None)

    create_installation(folder, code, prepare=prepare)
    app = open_installation(folder, clock=clock)
    add_person(app, person_id="admin", name="A", authority=own[0], roles=["admin"], by=app.actor("ego"))
    return app


@pytest.fixture
def two(tmp_path):
    """Saarbrücken's installation and Homburg's, both with sends in two months."""
    clock = TurnedClock(NOW)
    sb = found(tmp_path / "sb", "SB", [SAARBRUECKEN], clock)
    hom = found(tmp_path / "hom", "HOM", [HOMBURG], clock)
    book(sb, SAARBRUECKEN, HOMBURG, 3, level="A")
    book(hom, HOMBURG, SAARBRUECKEN, 2, level="C")
    yield sb, hom, clock
    sb.close()
    hom.close()


def book(app, sender, recipient, number, *, level, month=10):
    """Book sends as the ledger does; one in two is answered after a day."""
    channel = "letter+post" if level == "A" else "xdomea+folder"
    with app.write() as tx:
        for n in range(number):
            created = datetime(2026, month, 5 + n, tzinfo=UTC)
            text = f"2026-{month:02d}"
            tx.execute(
                insert(tables.ledger).values(
                    exchange_id=str(app.ids.new()),
                    authority_id=sender,
                    procedure_key="amtshilfe",
                    element_id="Send",
                    recipient_id=recipient,
                    month=text,
                    cell=cell_of("", sender, "amtshilfe", "Send", recipient, text),
                    state="sent",
                    intended_channel=channel,
                    channel=channel,
                    level=level,
                    created_at=created,
                    handed_over_at=created,
                    answered_at=created + timedelta(days=1) if n % 2 else None,
                    rejected=False,
                    copies=0,
                    failed=0,
                )
            )
            mark = {"id": str(app.ids.new()), "authority_id": sender, "month": text}
            cell = cell_of("", sender, "amtshilfe", "Send", recipient, text)
            tx.execute(insert(tables.ledger_marks).values(**mark, cell=cell))


def export(app):
    return exporting.export_report(app, app.actor("ego")).encode()


def take(app, content):
    return exporting.import_report(app, app.actor("ego"), read_report(content))


def believe(app, content, confirmed=None):
    report = read_report(content)
    return exporting.trust(app, app.actor("ego"), report, confirmed or report.fingerprint)


def levels(app, **scope):
    return status(app, app.actor("ego"), Question(Scope(**scope))).total.by_level


def months_of(app):
    with app.read() as tx:
        rows = tx.execute(select(tables.ledger_months).where(tables.ledger_months.c.source != "")).mappings()
        return sorted((dict(row) for row in rows), key=str)


def test_a_trusted_partners_sends_count_once_however_often_they_come(two):
    sb, hom, clock = two
    content = export(hom)
    assert levels(sb) == {"A": 3}
    believe(sb, content)
    done = take(sb, content)
    assert (done.partner, done.months[-2:], done.exchanges) == ("HOM", ("2026-10", "2026-11"), 2)
    assert levels(sb) == {"A": 3, "C": 2}
    assert levels(sb, sender="Homburg") == {"C": 2}
    before = months_of(sb)
    assert take(sb, content).months == ()
    assert months_of(sb) == before
    book(hom, HOMBURG, SAARBRUECKEN, 1, level="C")
    book(hom, HOMBURG, KIRKEL, 4, level="B", month=11)
    clock.turn(timedelta(minutes=5))
    newer = export(hom)
    assert take(sb, newer).months[-2:] == ("2026-10", "2026-11")
    assert levels(sb) == {"A": 3, "B": 4, "C": 3}
    with pytest.raises(ReportRefusedError, match="there is a newer report"):
        take(sb, content)
    assert levels(sb) == {"A": 3, "B": 4, "C": 3}
    (reported,) = [r for r in status(sb, sb.actor("ego")).reported if r.made_at]
    assert (reported.name, reported.until, reported.senders) == ("HOM", "2026-11", (HOMBURG,))
    # What a partner has reported is no affair of one authority's admin, and is not reported on.
    assert status(sb, sb.actor("admin")).total.by_level == {"A": 3}
    assert set(read_report(export(sb)).rows) == {
        key for key in read_report(export(sb)).rows if key[0] == SAARBRUECKEN
    }


def test_exported_and_imported_figures_are_the_same_at_every_level(two):
    sb, hom, _ = two
    book(hom, HOMBURG, SAARBRUECKEN, 5, level="A", month=9)
    ledger.fold(hom)
    content = export(hom)
    believe(sb, content)
    take(sb, content)
    for by in (("procedure", "step", "recipient", "month"), ("sender", "district")):
        here = status(sb, sb.actor("ego"), Question(Scope(sender=HOMBURG), by))
        there = status(hom, hom.actor("ego"), Question(Scope(), by))
        assert [(line.key, line.figures.leads, line.figures.by_level) for line in here.lines] == [
            (line.key, line.figures.leads, line.figures.by_level) for line in there.lines
        ]


def test_nothing_of_a_person_or_a_case_is_in_a_report(two):
    sb, _, _ = two
    text = export(sb).decode()
    with sb.read() as tx:
        ids = tx.scalars(select(tables.ledger.c.exchange_id)).all()
    assert not any(identifier in text for identifier in ids)
    assert "ego" not in text


def changed(content, **members):
    document = {**json.loads(content), **members}
    return json.dumps(document).encode()


def signed(content, **members):
    """A report of somebody else's, signed properly, that says what an honest one never would."""
    private = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    document = {**json.loads(content), **members, "key": private.public_key().public_bytes_raw().hex()}
    document.pop("signature")
    return json.dumps({**document, "signature": private.sign(_canonical(document)).hex()}).encode()


def due(app, sender, recipient, outcome, key):
    """Book a deadline of a month in which the sender has exchanges, too."""
    with app.write() as tx:
        who = (sender, "amtshilfe", "Send", recipient, "2026-10")
        names = ("authority_id", "procedure_key", "element_id", "recipient_id", "month")
        row = {**dict(zip(names, who, strict=True)), "cell": cell_of("deadline", *who)}
        booked = {"deadline_id": key, "outcome": outcome, "notified": True, "presumed": outcome == "met"}
        tx.execute(insert(tables.ledger_deadlines).values(**row, **booked))
        marked = {name: row[name] for name in ("authority_id", "month", "cell")}
        tx.execute(insert(tables.ledger_marks).values(id=key, **marked))


def test_deadlines_travel_with_the_figures_and_older_reports_have_none(two):
    sb, hom, _ = two
    due(hom, HOMBURG, SAARBRUECKEN, "met", "one")
    due(hom, HOMBURG, SAARBRUECKEN, "deemed", "two")
    content = export(hom)
    believe(sb, content)
    take(sb, content)
    total = status(sb, sb.actor("ego")).total
    assert (total.deadlines, total.presumed.count, total.presumed.n) == ({"met": 1, "deemed": 1}, 1, 2)
    assert status(sb, sb.actor("admin")).total.deadlines == {}
    document = json.loads(content)
    places = [document["columns"].index(name) for name in ("deadlines", "notified", "presumed")]

    def without(values):
        return [value for place, value in enumerate(values) if place not in places]

    rows = [without(row) for row in document["rows"] if not row[document["columns"].index("deadlines")]]
    columns = without(document["columns"])
    older = signed(content, format="dienstweg-ledger/1", columns=columns, rows=rows)
    report = read_report(older)
    assert {row["deadlines"] for row in report.rows.values()} == {0}
    assert sum(row["exchanges"] for row in report.rows.values()) == 2
    with pytest.raises(ReportRefusedError, match="lacks something"):
        read_report(signed(content, format="dienstweg-ledger/1"))
    wrong = [
        [3 if place == places[2] else value for place, value in enumerate(row)] for row in document["rows"]
    ]
    with pytest.raises(ReportRefusedError, match="a part is more than the whole"):
        read_report(signed(content, rows=wrong))


def test_what_was_changed_cut_off_or_is_no_report_is_refused(two):
    sb, hom, _ = two
    content = export(hom)
    believe(sb, content)
    rows = json.loads(content)["rows"]
    more = [[*row] for row in rows]
    more[0][10] += 1
    for bad, said in (
        (changed(content, rows=more), "signature does not fit"),
        (changed(content, made_at="2026-11-28T11:00:00+00:00"), "signature does not fit"),
        (changed(content, signature="00" * 64), "signature does not fit"),
        (changed(content, signature=7), "signature does not fit"),
        (changed(content, key="zz"), "signature does not fit"),
        (changed(content, format="dienstweg-ledger/3"), "newer Dienstweg"),
        (changed(content, format=["dienstweg-ledger/2"]), "no report of a ledger"),
        (changed(content, extra=1), "something that it should not"),
        (content[: len(content) // 2], "no whole JSON"),
        (b"", "no whole JSON"),
        (b"[" * 100_000, "no whole JSON"),
        (b"\xff\xfe", "no whole JSON"),
        (b"[]", "no report of a ledger"),
        (json.dumps({"format": 1}).encode(), "no report of a ledger"),
        (signed(content, rows=[*rows, rows[0]]), "there twice"),
        (signed(content, rows=[rows[0][:-1]]), "values"),
        (signed(content, months=["2026-10", "2026-10"]), "named twice"),
        (signed(content, months=["2026-13"]), "no list of months"),
        (signed(content, months=["2026-09"]), "none of the report's months"),
        (signed(content, senders={KIRKEL: "Kirkel"}), "none of the report's senders"),
        (signed(content, senders={}), "of whom"),
        (signed(content, made_at="gestern"), "no instant"),
        (signed(content, made_at="2026-11-28T11:00:00"), "no time zone"),
        (signed(content, made_at="0001-01-01T00:00:00+14:00"), "no year"),
        (signed(content, made_at="9999-12-31T23:59:59-14:00"), "no year"),
        (signed(content, installation="\x1b[2JHOM"), "no text"),
        (signed(content, installation=["HOM"]), "no text"),
        (signed(content, senders={HOMBURG: "Hom\ud800burg"}), "of whom"),
    ):
        with pytest.raises(ReportRefusedError, match=said):
            take(sb, bad)
    for place, value in (
        (10, -1),
        (10, True),
        (11, 99),
        (4, ["2026-10"]),
        (1, "a\0b"),
        (7, "Z"),
        (8, "lost"),
        (23, "1 x"),
        (24, "1 2 3 4"),
    ):
        wrong = [[*row] for row in rows]
        wrong[0][place] = value
        with pytest.raises(ReportRefusedError, match="row 1"):
            read_report(signed(content, rows=wrong))
    assert levels(sb) == {"A": 3}


def test_foreign_reports_and_reports_about_others_are_refused(two, tmp_path):
    sb, hom, clock = two
    content = export(hom)
    with pytest.raises(ReportRefusedError, match="not trusted"):
        take(sb, content)
    with pytest.raises(ReportRefusedError, match="not the one you gave"):
        believe(sb, content, confirmed="0000 1111")
    with pytest.raises(ReportRefusedError, match="this installation itself"):
        believe(sb, export(sb))
    for authority, said in ((SAARBRUECKEN, "counted here"),):
        rows = [[authority, *row[1:]] for row in json.loads(content)["rows"]]
        with pytest.raises(ReportRefusedError, match=said):
            believe(sb, signed(content, senders={authority: "S"}, rows=rows))
    believe(sb, content)
    with pytest.raises(ReportRefusedError, match="reported by HOM already"):
        believe(sb, signed(content))
    wider = found(tmp_path / "wider", "EGO", [KIRKEL], clock)
    believe(sb, export(wider))
    other = read_report(export(wider))
    grown = exporting.write_report(
        exporting.own_key(wider), "EGO", {KIRKEL: "Kirkel", "10045": "Kreis"}, NOW, (), []
    )
    wider.close()
    with pytest.raises(ReportRefusedError, match="not trusted to report of 10045"):
        take(sb, grown.encode())
    assert other.senders == {KIRKEL: "Kirkel"}
    assert levels(sb) == {"A": 3}


def test_a_report_from_the_future_is_refused(two):
    sb, hom, clock = two
    clock.turn(timedelta(days=2))
    content = export(hom)
    clock.turn(timedelta(days=-2))
    believe(sb, content)
    with pytest.raises(ReportRefusedError, match="yet to come"):
        take(sb, content)
    book(hom, HOMBURG, SAARBRUECKEN, 1, level="C", month=12)
    with pytest.raises(ReportRefusedError, match="had not begun"):
        take(sb, export(hom))


def test_who_is_trusted_no_longer_counts_no_longer(two):
    sb, hom, _ = two
    content = export(hom)
    believe(sb, content)
    take(sb, content)
    (partner,) = exporting.list_partners(sb, sb.actor("ego"))
    assert (partner.name, partner.until) == ("HOM", "2026-11")
    exporting.distrust(sb, sb.actor("ego"), partner.id[:8])
    assert levels(sb) == {"A": 3}
    with pytest.raises(exporting.PartnerUnknownError):
        exporting.distrust(sb, sb.actor("ego"), "HOM")


def test_an_empty_name_takes_nobodys_figures_out(two):
    sb, hom, _ = two
    content = export(hom)
    believe(sb, content)
    take(sb, content)
    with pytest.raises(exporting.PartnerUnknownError):
        exporting.distrust(sb, sb.actor("ego"), "")
    assert levels(sb) == {"A": 3, "C": 2}


def test_only_who_runs_the_installation_exports_trusts_and_imports(two):
    sb, hom, _ = two
    report = read_report(export(hom))
    admin = sb.actor("admin")
    for call in (
        lambda: exporting.export_report(sb, admin),
        lambda: exporting.trust(sb, admin, report, report.fingerprint),
        lambda: exporting.import_report(sb, admin, report),
        lambda: exporting.list_partners(sb, admin),
        lambda: exporting.distrust(sb, admin, "HOM"),
        lambda: exporting.own_fingerprint(sb, admin),
    ):
        with pytest.raises(RoleMissingError):
            call()


def test_the_key_is_kept_and_readable_by_its_owner_only(two):
    sb, _, _ = two
    first = exporting.own_fingerprint(sb, sb.actor("ego"))
    path = sb.settings.home / exporting.KEY_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert exporting.own_fingerprint(sb, sb.actor("ego")) == first
    path.write_text("broken")
    with pytest.raises(exporting.ReportFileError, match="backup"):
        export(sb)


def test_bookings_are_listed_for_the_own_senders(two):
    sb, _, _ = two
    rows = list_bookings(sb, sb.actor("admin"), Scope(district="10045"), since="2026-10")
    assert [row["recipient_id"] for row in rows] == [HOMBURG] * 3
    assert list_bookings(sb, sb.actor("admin"), Scope(procedure="other")) == []
    assert list_bookings(sb, sb.actor("admin"), until="2026-09") == []
    assert FORMAT in export(sb).decode()
