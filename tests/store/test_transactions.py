"""Transactions on both databases: what is kept, what is not, and when a fault is told."""

# ruff: noqa: PT012 - where in a transaction a fault comes up is what is tested here

from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, insert, select, text
from sqlalchemy.exc import IntegrityError

from benchmarks._bench import APPROVE, installation, package
from engine.identifiers import RandomIds
from engine.service.advance import read_case
from engine.service.cases import start_case
from engine.service.stories import Entry, append
from engine.service.verifying import verify_installation
from engine.store.errors import CaseChangedError
from engine.store.prepared import Prepared, insert_into
from engine.store.tables import counters

_ADD = insert_into(counters)
_VALUE = Prepared(select(counters.c.value).where(counters.c.name == bindparam("counter")))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def app(request):
    url = request.getfixturevalue("postgres").fresh() if request.param == "postgresql" else ""
    with installation(package("approve", APPROVE), database_url=url) as (made, actor):
        made.clerk = actor
        yield made


def add(tx, name, value=1):
    _ADD.run(tx, authority_id="x", name=name, value=value)


def values(app):
    with app.read() as tx:
        return {row.name: row.value for row in tx.execute(select(counters)) if row.authority_id == "x"}


def test_prepared_statements_and_others_see_each_other(app):
    with app.write() as tx:
        add(tx, "a", 1)
        assert tx.scalar(select(counters.c.value).where(counters.c.name == "a")) == 1
        tx.execute(insert(counters).values(authority_id="x", name="b", value=2))
        assert _VALUE.first(tx, counter="b").value == 2
        add(tx, "c", 3)
        early, late = _VALUE.send(tx, counter="c"), _VALUE.send(tx, counter="none")
    assert [row.value for row in early.all()] == [3]
    assert late.first() is None
    assert values(app) == {"a": 1, "b": 2, "c": 3}


@pytest.mark.parametrize("fault", ["last", "before an answer", "before a statement of SQLAlchemy's"])
def test_a_fault_of_one_statement_undoes_all(app, fault):
    with app.write() as tx:
        add(tx, "there")
    with pytest.raises((IntegrityError, app.database.engine.dialect.dbapi.Error)), app.write() as tx:
        add(tx, "new")
        add(tx, "there")
        if fault == "before an answer":
            _VALUE.first(tx, counter="new")
        elif fault != "last":
            tx.execute(text("SELECT 1"))
    assert values(app) == {"there": 1}


def test_what_a_refusal_of_ours_leaves_behind_is_nothing(app):
    with pytest.raises(LookupError), app.write() as tx:
        add(tx, "a")
        _VALUE.first(tx, counter="a")
        add(tx, "b")
        raise LookupError
    with app.write() as tx:
        add(tx, "c")
    assert values(app) == {"c": 1}


@pytest.mark.postgres
def test_a_fault_that_nobody_has_read_does_not_hide_a_refusal(postgres):
    with installation(database_url=postgres.fresh()) as (app, _actor):
        with pytest.raises(LookupError), app.write() as tx:
            add(tx, "a")
            add(tx, "a")
            raise LookupError
        with app.write() as tx:
            add(tx, "b")
        assert values(app) == {"b": 1}


def test_a_savepoint_keeps_what_was_before_it(app):
    with app.write() as tx:
        add(tx, "a")
        with pytest.raises((IntegrityError, app.database.engine.dialect.dbapi.Error)), tx.begin_nested():
            add(tx, "a")
            tx.execute(text("SELECT 1"))
        add(tx, "b")
    assert values(app) == {"a": 1, "b": 1}


def test_a_reader_keeps_one_picture_and_writes_nothing(app):
    with app.read() as reading:
        assert _VALUE.first(reading, counter="a") is None
        with app.write() as tx:
            add(tx, "a")
        assert _VALUE.first(reading, counter="a") is None
    assert values(app) == {"a": 1}


def test_of_two_who_read_the_same_head_one_may_write(app):
    case = start_case(app, app.clerk, "approve", {"amount": 1}).id
    with app.read() as tx:
        head = read_case(tx, case).head
    entry = Entry(datetime(2026, 3, 2, tzinfo=UTC), "clerk", "remark", {"command": "Remark"})
    with app.write() as tx:
        append(tx, RandomIds(), head, entry)
    with pytest.raises(CaseChangedError), app.write() as tx:
        append(tx, RandomIds(), head, entry)
    with app.read() as tx:
        assert read_case(tx, case).head.sequence == head.sequence + 1
    assert verify_installation(app).faults == ()
