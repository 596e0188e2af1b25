"""Scopes and who sees which senders: one's own, and for who runs the installation all it works for."""

import pytest

from engine.actor import Role
from engine.exchange.decision import Relation
from engine.migration.scope import Scope
from engine.service.access import RoleMissingError
from engine.service.directory.authorities import import_authorities, seed_authorities
from engine.service.directory.people import PersonRefusedError, add_person
from engine.service.installation import create_installation, open_installation
from engine.service.migration.scope import (
    ScopeRefusedError,
    SenderUnknownError,
    districts,
    resolve,
    scope_senders,
    senders,
)
from engine.service.migration.status import status

SAARBRUECKEN, HOMBURG, KIRKEL = "10041100", "10045114", "10045115"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    home = tmp_path_factory.mktemp("two") / "home"

    def prepare(new):
        seed_authorities(new, [SAARBRUECKEN, HOMBURG])
        add_person(
            new,
            person_id="ego",
            name="E",
            authority=SAARBRUECKEN,
            roles=["admin", "installation"],
            by=None,
        )

    create_installation(home, "TWO", prepare=prepare)
    opened = open_installation(home)
    by = opened.actor("ego")
    add_person(opened, person_id="hom", name="H", authority=HOMBURG, roles=["admin"], by=by)
    add_person(
        opened, person_id="clerk", name="C", authority=HOMBURG, roles=["clerk"], by=opened.actor("hom")
    )
    yield opened
    opened.close()


def test_a_scope_matches_by_every_field_it_names():
    relation = Relation("p", "s", SAARBRUECKEN, HOMBURG)
    district_of = {HOMBURG: "10045"}.get
    assert Scope().matches(relation, district_of)
    fitting = {
        "procedure": "p",
        "step": "s",
        "sender": SAARBRUECKEN,
        "recipient": HOMBURG,
        "district": "10045",
    }
    for name, value in fitting.items():
        assert Scope(**{name: value}).matches(relation, district_of)
        assert not Scope(**{name: "another"}).matches(relation, district_of)
        assert value in Scope(**{name: value}).describe()
    assert (Scope().width, Scope(**fitting).width) == (5, 0)
    assert Scope().describe() == "everything"


def test_an_admin_sees_the_own_sends_and_the_installations_admin_all(app):
    with app.read() as tx:
        assert senders(tx, app.actor("hom")) == [HOMBURG]
        assert senders(tx, app.actor("ego")) == [SAARBRUECKEN, HOMBURG]
        with pytest.raises(RoleMissingError):
            senders(tx, app.actor("clerk"))


def test_a_foreign_sender_reads_as_not_found(app):
    with app.read() as tx:
        for foreign in (SAARBRUECKEN, "Saarbrücken", KIRKEL, "nobody"):
            with pytest.raises(SenderUnknownError):
                resolve(tx, app.actor("hom"), Scope(sender=foreign))
        with pytest.raises(SenderUnknownError):
            resolve(tx, app.actor("ego"), Scope(sender=KIRKEL))
        found = resolve(tx, app.actor("ego"), Scope(sender="Homburg", district="Saarpfalz-Kreis"))
        assert (found.sender, found.district) == (HOMBURG, "10045")
        assert scope_senders(tx, app.actor("ego"), found) == [HOMBURG]
        with pytest.raises(ScopeRefusedError):
            resolve(tx, app.actor("ego"), Scope(district="Homburg"))


def test_a_district_lies_in_itself_and_the_land_in_none(app):
    with app.read() as tx:
        district_of = districts(tx)
    assert [district_of(key) for key in (HOMBURG, "10045", "10")] == ["10045", "10045", None]


def test_only_who_runs_the_installation_gives_that_role_and_reaches_over_authorities(app):
    add = {"name": "N", "roles": [Role.INSTALLATION.value]}
    with pytest.raises(PersonRefusedError, match="reaches over"):
        add_person(app, person_id="x", authority=HOMBURG, by=app.actor("hom"), **add)
    with pytest.raises(PersonRefusedError, match="no admin of"):
        add_person(app, person_id="x", name="N", roles=["clerk"], authority=SAARBRUECKEN, by=app.actor("hom"))
    add_person(app, person_id="second", authority=HOMBURG, by=app.actor("ego"), **add)
    with app.read() as tx:
        assert senders(tx, app.actor("second")) == [SAARBRUECKEN, HOMBURG]


def test_authorities_elsewhere_do_not_change_what_52_is_a_part_of(app):
    by = app.actor("ego")
    kinds = {"07320000": "municipality", "07": "land", "landesverwaltungsamt": "land", "x": "other"}
    rows = [{"id": key, "name": key, "kind": kind} for key, kind in kinds.items()]
    assert import_authorities(app, by, rows) == 4
    assert {reached.kind: reached.n for reached in status(app, by).coverage} == {
        "municipality": 52,
        "district": 6,
        "land": 2,
        "elsewhere": 2,
        "other": 1,
    }
