"""Figures from files: what Excel writes in Germany, event logs, hostile ones; imported once and marked."""

import gzip
import os
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from engine.migration import event_logs
from engine.migration.register import Known, Volume
from engine.migration.volume_rows import (
    ColumnMap,
    MappingRefusedError,
    VolumeFileRefusedError,
    count_of,
    level_of,
    month_of,
)
from engine.service.access import RoleMissingError
from engine.service.migration.register import Wish, overview, relations
from engine.service.migration.volumes import (
    AlreadyCountedError,
    FiguresRefusedError,
    FileMissingError,
    ImportUnknownError,
    Order,
    VolumesRefusedError,
    import_volumes,
    list_imports,
    remove_import,
)
from engine.store.tables import audit, imported_volumes
from tests.migration.many_halls import HELP, HOMBURG, KIRKEL, SAARBRUECKEN, make, sent

RECEIPT = Path(os.environ.get("DIENSTWEG_SHARED", "/work/shared")) / "domain/logs/receipt.xes.gz"
GOOD = """Verfahren;Schritt;Absender;Empfänger;Monat;Anzahl;Kanal;Bemerkung
Vollstreckungshilfe;Ersuchen senden;Saarbrücken;Homburg;Mrz 26;1.234;Post;alt
vollstreckungshilfe;Send_Ersuchen;;10045114;04.2026;12;E-Mail;
vollstreckungshilfe;Send_Ersuchen;10041100;Kirkel;2026-04;3;Pferd;
"""
KEY = (HELP, "Send_Ersuchen", SAARBRUECKEN, HOMBURG)


@pytest.fixture
def app(tmp_path):
    opened = make(tmp_path / "home")
    yield opened
    opened.close()


def written(tmp_path, content=GOOD, name="zahlen.csv", encoding="utf-8"):
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return file


def volumes_of(app, person="ego"):
    page = relations(app, app.actor(person), Wish(used=True), limit=None)
    return {key_of(line.relation): line.volume for line in page.lines}


def key_of(relation):
    return relation.procedure_key, relation.element_id, relation.sender_id, relation.recipient_id


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_what_spreadsheets_write_is_read(app, tmp_path, encoding, delimiter):
    file = written(tmp_path, GOOD.replace(";", delimiter).replace("\n", "\r\n"), encoding=encoding)
    plan = import_volumes(app, app.actor("sb"), Order(file))
    assert plan.imported
    assert plan.counted == 1249
    assert plan.by_level() == {"A": 1234, "B": 12, "?": 3}
    assert plan.months() == ("2026-03", "2026-04")
    assert plan.notes[0] == "column 'Bemerkung' is not used"
    assert plan.unclear == {"Pferd": 3}
    assert volumes_of(app) == {
        KEY: Volume(imported=1246, paper=1234),
        (*KEY[:3], KIRKEL): Volume(imported=3),
    }
    line = relations(app, app.actor("sb"), Wish(used=True)).lines[0]
    assert line.known is Known.IMPORTED


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_the_same_source_replaces_itself_and_never_counts_twice(tmp_path, database, request):
    url = request.getfixturevalue("postgres").fresh() if database == "postgresql" else ""
    app = make(tmp_path / "home", database_url=url)
    actor = app.actor("sb")
    try:
        file = written(tmp_path)
        assert import_volumes(app, actor, Order(file)).imported
        again = import_volumes(app, actor, Order(file))
        assert (again.unchanged, again.imported) == (True, False)
        assert volumes_of(app)[KEY].imported == 1246
        written(tmp_path, GOOD.replace("1.234", "1.000"))
        changed = import_volumes(app, actor, Order(file))
        assert (changed.replaces, changed.imported) == (1249, True)
        assert volumes_of(app)[KEY].imported == 1012
        other = written(tmp_path, name="other.csv")
        with pytest.raises(AlreadyCountedError, match=r"zahlen\.csv"):
            import_volumes(app, actor, Order(other))
        assert import_volumes(app, actor, Order(other, source="zahlen.csv")).imported
        assert volumes_of(app)[KEY].imported == 1246
        assert sorted(each.replaced_at is None for each in list_imports(app, actor)) == [False, False, True]
        remove_import(app, actor, "zahlen.csv")
        assert volumes_of(app) == {}
        with pytest.raises(ImportUnknownError):
            remove_import(app, actor, "zahlen.csv")
        with app.read() as tx:
            assert tx.scalar(select(func.count()).where(audit.c.action.like("migration.volumes%"))) == 4
    finally:
        app.close()


def test_from_the_first_own_exchange_of_a_month_on_the_history_counts(app, tmp_path):
    import_volumes(app, app.actor("sb"), Order(written(tmp_path)))
    sent(app, SAARBRUECKEN, KIRKEL, at=datetime(2026, 4, 20, tzinfo=UTC))
    found = volumes_of(app)
    assert found[KEY] == Volume(imported=1234, paper=1234)
    assert found[*KEY[:3], KIRKEL] == Volume(own=1)
    line = next(
        line
        for line in relations(app, app.actor("sb"), Wish(used=True)).lines
        if line.relation.recipient_id == KIRKEL
    )
    assert line.known is Known.SEEN


def test_a_line_that_is_not_understood_refuses_the_file_and_names_its_place(app, tmp_path):
    bad = GOOD + (
        "vollstreckungshilfe;Send_Nichts;;Homburg;2026-04;1;Post;\n"
        "nichts;Send_Ersuchen;;Homburg;2026-04;1;Post;\n"
        "vollstreckungshilfe;Send_Ersuchen;;Entenhausen;2026-04;1;Post;\n"
        "vollstreckungshilfe;Send_Ersuchen;;Saarbrücken;2026-04;1;Post;\n"
        "vollstreckungshilfe;Send_Ersuchen;Homburg;Kirkel;2026-04;1;Post;\n"
        "vollstreckungshilfe;Send_Ersuchen;;Homburg;gestern;1;Post;\n"
        "vollstreckungshilfe;Send_Ersuchen;;Homburg;2026-04;viele;Post;\n"
        "vollstreckungshilfe;Send_Ersuchen;;;2026-04;1;Post;\n"
        "vollstreckungshilfe;Send_Ersuchen;;Homburg;2062-04;1;Post;\n"
    )
    order = Order(written(tmp_path, bad))
    actor = app.actor("sb")
    plan = import_volumes(app, actor, replace(order, dry_run=True))
    assert [(fault.line, fault.field) for fault in plan.faults] == [
        (5, "step"),
        (6, "procedure"),
        (7, "recipient"),
        (8, "recipient"),
        (9, "sender"),
        (10, "month"),
        (11, "count"),
        (12, "recipient"),
        (13, "month"),
    ]
    with pytest.raises(VolumesRefusedError, match="line 5") as refused:
        import_volumes(app, actor, order)
    assert refused.value.plan.counted == 1249
    with app.read() as tx:
        assert tx.scalar(select(func.count()).select_from(imported_volumes)) == 0
    assert import_volumes(app, actor, replace(order, skip_faults=True)).imported
    (kept,) = list_imports(app, actor)
    assert (kept.counted, kept.left_out) == (1249, 9)


def test_nobody_imports_for_others_or_sees_their_figures(app, tmp_path):
    file = written(tmp_path)
    with pytest.raises(VolumesRefusedError, match="no authority whose sends you see"):
        import_volumes(app, app.actor("hom"), Order(file))
    with pytest.raises(RoleMissingError):
        import_volumes(app, app.actor("clerk"), Order(file))
    import_volumes(app, app.actor("sb"), Order(file))
    assert volumes_of(app, "hom") == {}
    assert list_imports(app, app.actor("hom")) == []
    with pytest.raises(ImportUnknownError):
        remove_import(app, app.actor("hom"), "zahlen.csv")
    both = GOOD + "vollstreckungshilfe;Send_Antwort;Homburg;Kirkel;2026-04;7;Post;\n"
    import_volumes(
        app, app.actor("ego"), Order(written(tmp_path, both, "both.csv"), source="zahlen.csv", dry_run=True)
    )
    assert len(list_imports(app, app.actor("ego"))) == 1


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        ("", MappingRefusedError, "no column gives procedure"),
        ("a;b\n1;2\n", MappingRefusedError, "columns are: a, b"),
        ("verfahren;procedure\n", MappingRefusedError, "two columns give procedure"),
        (b"\x81\x8d\xff;x\n", VolumeFileRefusedError, "cp1252"),
        (b"PK\x03\x04\0\0\0\0", VolumeFileRefusedError, "no text"),
        (GOOD.split("\n", maxsplit=1)[0] + '\n"offen;x', VolumeFileRefusedError, "line 2"),
        (GOOD.split("\n", maxsplit=1)[0], FiguresRefusedError, "no figures"),
    ],
)
def test_files_that_are_no_figures_say_what_is_missing(app, tmp_path, content, error, said):
    with pytest.raises(error, match=said):
        import_volumes(app, app.actor("sb"), Order(written(tmp_path, content)))


def test_columns_of_any_name_are_mapped_and_texts_translated(app, tmp_path):
    file = written(tmp_path, "Wer;Wohin;Wann;Wieviel;Weg\nStadt;Homburg;2026-01;5;Rohrpost\n")
    mapping = ColumnMap(
        {"sender": "Wer", "recipient": "wohin", "month": "Wann", "count": "Wieviel", "channel": "Weg"},
        {"procedure": HELP, "step": "Send_Ersuchen"},
        {"sender": {"Stadt": SAARBRUECKEN}, "channel": {"Rohrpost": "A"}},
    )
    plan = import_volumes(app, app.actor("sb"), Order(file, mapping))
    assert plan.cells == {(SAARBRUECKEN, HELP, "Send_Ersuchen", HOMBURG, "2026-01", "A"): 5}
    with pytest.raises(MappingRefusedError, match="no column 'nirgends'"):
        import_volumes(app, app.actor("sb"), Order(file, ColumnMap({"sender": "nirgends"})))
    with pytest.raises(MappingRefusedError, match="no field 'colour'"):
        ColumnMap({"colour": "x"})
    with pytest.raises(FileMissingError):
        import_volumes(app, app.actor("sb"), Order(tmp_path / "nothing.csv"))


@given(st.integers(1990, 2100), st.integers(1, 12), st.integers(1, 28))
def test_a_month_is_the_same_however_it_is_written(year, month, day):
    names = ["Jan", "Feb", "März", "Apr", "Mai", "Juni", "Jul", "Aug", "Sep", "Okt", "Nov", "Dezember"]
    forms = [f"{year}-{month:02}", f"{year}-{month}-{day}", f"{day}.{month}.{year}", f"{month:02}/{year}"]
    forms.append(f"{names[month - 1]} {year}")
    forms += [f"{day:02}.{month:02}.{year} 00:00", f"{year}-{month:02}-{day:02}T23:59:59"]
    if 2000 <= year <= 2089:
        forms += [f"{day:02}.{month:02}.{year % 100:02}", f"{names[month - 1]} {year % 100:02}"]
    assert {month_of(form) for form in forms} == {f"{year}-{month:02}"}


@given(st.integers(0, 999_999_999))
def test_a_count_is_the_same_with_and_without_points(number):
    assert count_of(str(number)) == count_of(f"{number:,}".replace(",", ".")) == number


@pytest.mark.parametrize(
    "text", ["", "13.2026", "2026-00", "0.2026", "Foo 26", "1989-01", "2026", "03.26", "1.3.90"]
)
def test_no_month_is_guessed(text):
    assert month_of(text) is None


@pytest.mark.parametrize("text", ["31.02.2026", "45.03.26", "2026-02-30", "1.3.99", "Mrz 95", "01.03.26 x"])
def test_a_day_that_is_none_or_a_century_that_is_not_certain_is_no_month(text):
    assert month_of(text) is None


def test_excels_first_line_and_short_years_are_read_and_told(app, tmp_path):
    text = f"sep=|\r\nVerfahren|Schritt|Empfänger|Monat|Anzahl\r\n{HELP}|Send_Ersuchen|Homburg|01.03.26|7\r\n"
    plan = import_volumes(app, app.actor("sb"), Order(written(tmp_path, text, encoding="utf-8-sig")))
    assert plan.cells == {(SAARBRUECKEN, HELP, "Send_Ersuchen", HOMBURG, "2026-03", "?"): 7}
    assert plan.notes == [
        "columns are parted by '|', as the first line says",
        "years of two digits are read as 20xx, e.g. 26 as 2026",
    ]
    late = written(tmp_path, text + f"{HELP}|Send_Ersuchen|Homburg|01.03.99|7\r\n", name="late.csv")
    with pytest.raises(
        VolumesRefusedError, match=r"line 4: '01\.03\.99' is no month: write with the whole year"
    ):
        import_volumes(app, app.actor("sb"), Order(late))


@pytest.mark.parametrize("first", ["sep=", "sep=x", '"sep="', "SEP=."])
def test_a_first_line_that_parts_nothing_is_refused(app, tmp_path, first):
    file = written(tmp_path, f"{first}\n{GOOD}")
    with pytest.raises(VolumeFileRefusedError, match="parts columns"):
        import_volumes(app, app.actor("sb"), Order(file))


def test_a_quoted_first_line_is_read_as_one(app, tmp_path):
    assert import_volumes(app, app.actor("sb"), Order(written(tmp_path, f'"sep=;"\n{GOOD}'))).counted == 1249


@pytest.mark.parametrize("text", ["", "-1", "1,5", "1.23", "12.34", "1e3", "1.234.567.890", "x"])
def test_no_count_is_guessed(text):
    assert count_of(text) is None


def test_levels_are_themselves_or_common_words():
    assert [level_of(text) for text in ("A", "post", " E-Mail ", "xdomea+folder", "d", "")] == list("AABC??")


# Event logs


INNER = '<string key="concept:name" value="x"/>'
GLOBAL = f'<global scope="trace">{INNER}<string key="channel" value="UNKNOWN"/></global>'


def event(name, time, extra=""):
    named = f'<string key="concept:name" value="{name}">{INNER}</string>'
    return f'<event>{named}<date key="time:timestamp" value="{time}"/>{extra}</event>'


def log(*traces, head=""):
    body = "".join(
        f'<trace>{INNER}<string key="channel" value="{channel}"/>{"".join(event(*e) for e in events)}</trace>'
        for channel, events in traces
    )
    return f'<?xml version="1.0"?>{head}<log xmlns="http://www.xes-standard.org/">{GLOBAL}{body}</log>'


SEND = ("send", "2026-01-31T23:30:00+00:00", "")
STARTED = ("send", "2026-01-31T23:30:00+00:00", '<string key="lifecycle:transition" value="start"/>')
THINK = ("think", "2026-01-01T10:00:00+01:00", "")
MAPPING = ColumnMap(
    {"channel": "trace/channel"},
    {"procedure": HELP, "recipient": HOMBURG},
    {"step": {"send": "Send_Ersuchen"}},
)


def imported(app, tmp_path, content, mapping=MAPPING, name="log.xes", **order):
    file = written(tmp_path, content, name)
    return import_volumes(app, app.actor("sb"), Order(file, mapping, **order))


@pytest.mark.parametrize("packed", [False, True])
def test_events_that_send_are_counted_in_the_month_of_our_zone(app, tmp_path, packed):
    content = log(("Post", [THINK, SEND, STARTED]), ("E-Mail", [SEND, SEND]), ("Post", [])).encode()
    name = "log.xes.gz" if packed else "log.xes"
    plan = imported(app, tmp_path, gzip.compress(content) if packed else content, name=name)
    base = (SAARBRUECKEN, HELP, "Send_Ersuchen", HOMBURG, "2026-02")
    assert plan.cells == {(*base, "A"): 1, (*base, "B"): 2}
    assert plan.left_out == {"think": 1}


def test_each_case_counts_once_where_the_step_is_given(app, tmp_path):
    mapping = replace(MAPPING, constants={**MAPPING.constants, "step": "Send_Ersuchen"}, values={})
    plan = imported(app, tmp_path, log(("Post", [THINK, SEND]), ("Post", [THINK])), mapping)
    assert plan.cells == {(SAARBRUECKEN, HELP, "Send_Ersuchen", HOMBURG, "2026-01", "A"): 2}


MANY = "".join(f'<string key="k{n}" value="v"/>' for n in range(1001))
BOMB = '<!DOCTYPE log [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
FILE = '<!DOCTYPE log [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (log(("&b;", [SEND]), head=BOMB), "DOCTYPE"),
        (log(("&a;", [SEND]), head=FILE), "DOCTYPE"),
        (log(("x", [SEND]), head=f"<!--{'x' * (1 << 21)}--><!DOCTYPE log>"), "DOCTYPE"),
        (log(("&a;", [SEND])), "not well-formed"),
        ("<html/>", "no event log"),
        ("verfahren;schritt", "not well-formed"),
        (b"", "not well-formed"),
        (gzip.compress(log(("Post", [SEND])).encode())[:-20], "gzip stream is damaged"),
        (b"\x1f\x8b nothing packed", "gzip stream is damaged"),
        (gzip.compress(b"<log>" + b" " * 30_000_000), "300 times"),
        ("<log>" + "<x>" * 300, "not well-formed"),
        ("<log><trace>" + MANY, "more than 1000 attributes"),
    ],
)
def test_hostile_logs_are_refused_and_nothing_is_kept(app, tmp_path, content, said):
    with pytest.raises(VolumeFileRefusedError, match=said):
        imported(app, tmp_path, content)
    assert list_imports(app, app.actor("sb")) == []


def test_a_log_that_never_ends_is_cut_off(app, tmp_path, monkeypatch):
    monkeypatch.setattr(event_logs, "MAX_BYTES", 1_000_000)
    source = random.Random(7)
    noise = "".join(f"<!--{source.random()}-->" for _ in range(60_000))
    with pytest.raises(VolumeFileRefusedError, match="larger than 1000000"):
        imported(app, tmp_path, f"<log>{noise}</log>")


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        (replace(MAPPING, values={}), "which activities send"),
        (replace(MAPPING, constants={"procedure": HELP}), "what gives the recipient"),
        (replace(MAPPING, columns={"month": "x"}), "neither month nor count"),
    ],
)
def test_a_mapping_that_says_too_little_is_refused(app, tmp_path, mapping, said):
    with pytest.raises(MappingRefusedError, match=said):
        imported(app, tmp_path, log(("Post", [SEND])), mapping)


def test_a_wrong_mapping_says_what_it_did_not_find(app, tmp_path):
    content = log(("Post", [SEND, THINK]))
    wrong = replace(MAPPING, values={"step": {"sned": "Send_Ersuchen"}})
    with pytest.raises(FiguresRefusedError, match="--dry-run"):
        imported(app, tmp_path, content, wrong)
    plan = imported(app, tmp_path, content, wrong, dry_run=True)
    assert plan.left_out == {"send": 1, "think": 1}
    timeless = replace(MAPPING, columns={"time": "gone"})
    assert (
        imported(app, tmp_path, content, timeless, dry_run=True).faults[0].message
        == "None is no instant of gone"
    )
    many = log(("Post", [(f"activity {n}", SEND[1], "") for n in range(2_001)]))
    with pytest.raises(MappingRefusedError, match="more than 2000"):
        imported(app, tmp_path, many)


@pytest.mark.skipif(not RECEIPT.exists(), reason="the receipt log is not here")
def test_the_receipt_log_of_a_real_municipality(app):
    mapping = replace(
        MAPPING, values={"step": {"Confirmation of receipt": "Send_Ersuchen"}, "channel": {"Desk": "A"}}
    )
    plan = import_volumes(app, app.actor("sb"), Order(RECEIPT, mapping))
    assert plan.counted == 1434
    assert plan.by_level() == {"A": 53 + 109, "B": 1250 + 21, "?": 1}
    found = overview(app, app.actor("sb"), Wish())
    assert (found.volume, found.months) == (Volume(imported=1434, paper=162), ("2010-10", "2012-01"))
