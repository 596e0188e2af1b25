"""What somebody changes past the program is found by ``db check``, and said in words, not in a traceback."""

import re

from sqlalchemy import text

from engine.service.verifying import verify_installation
from tests.service.test_exchange_flow import on_both

LAST = "(SELECT max(sequence) FROM history WHERE case_id = :case)"
OTHER = "(SELECT max(sequence) - 1 FROM history WHERE case_id = :case)"
TAMPERINGS = {
    "an entry is changed": (
        ["UPDATE history SET actor = 'x' WHERE case_id = :case AND sequence = 2"],
        "changed",
    ),
    "an entry is deleted": (
        ["DELETE FROM history WHERE case_id = :case AND sequence = 2"],
        "does not follow",
    ),
    "the last entry is deleted": (
        [f"DELETE FROM history WHERE case_id = :case AND sequence = {LAST}"],
        "ends",
    ),
    "the last entry is deleted and the head set back": (
        [
            "UPDATE case_states SET chain_head = (SELECT hash FROM history "
            f"WHERE case_id = :case AND sequence = {OTHER}) WHERE case_id = :case",
            f"DELETE FROM history WHERE case_id = :case AND sequence = {LAST}",
        ],
        "ends elsewhere",
    ),
    "the head is changed": (
        ["UPDATE case_states SET chain_head = '0' WHERE case_id = :case"],
        "ends elsewhere",
    ),
    "the count is changed": (
        ["UPDATE case_states SET sequence = sequence + 1 WHERE case_id = :case"],
        "ends elsewhere",
    ),
    "the state is deleted": (["DELETE FROM case_states WHERE case_id = :case"], "its state is missing"),
    "the case is deleted": (["DELETE FROM cases WHERE id = :case"], "only its history is left"),
    "an entry goes to another authority": (
        ["UPDATE history SET authority_id = '1' WHERE case_id = :case AND sequence = 1"],
        "another authority's",
    ),
    "what an entry holds cannot be read": (
        ["UPDATE history SET command = '{' WHERE case_id = :case AND sequence = 2"],
        "cannot be read after entry 1",
    ),
    "evidence is deleted": (["DELETE FROM evidence WHERE case_id = :case"], "evidence .* is missing"),
    "evidence is exchanged": (
        ["UPDATE evidence SET name = 'other' WHERE case_id = :case"],
        "does not know evidence other",
    ),
    "a fact is given another day": (
        ["UPDATE facts SET at = '2026-01-01T00:00:00.000000Z'"],
        "does not know fact .* 2026-01-01",
    ),
    "a fact is taken back in silence": (
        ["UPDATE facts SET withdrawn_at = '2026-01-01T00:00:00.000000Z'"],
        "does not know the withdrawal",
    ),
}


@on_both
def test_tampering_is_found(electronic):
    case = electronic.request()
    electronic.request()
    electronic.work()
    app = electronic.sb.app
    kept = {}
    with app.read() as tx:
        for name in ("cases", "case_states", "history", "evidence", "facts"):
            kept[name] = tx.execute(text(f"SELECT * FROM {name}")).mappings().all()
    assert all(kept.values())
    for name, (statements, words) in TAMPERINGS.items():
        assert verify_installation(app).faults == (), name
        with app.write() as tx:
            for statement in statements:
                tx.execute(text(statement), {"case": case.id} if ":case" in statement else {})
        assert re.search(words, "\n".join(verify_installation(app).faults)), name
        _restore(app, kept)


def _restore(app, kept):
    with app.write() as tx:
        for name, rows in kept.items():
            columns = ", ".join(f'"{one}"' for one in rows[0])
            values = ", ".join(f":{one}" for one in rows[0])
            tx.execute(text(f"DELETE FROM {name}"))
            tx.execute(text(f"INSERT INTO {name} ({columns}) VALUES ({values})"), [dict(row) for row in rows])
