"""``migration ledger`` as people and scripts type it."""

import io


def test_who_cannot_be_asked_for_the_fingerprint_is_told_the_option(tmp_path, home, dienstweg, monkeypatch):
    for name, authority in (("hom", "10045114"), ("sb", "10041100")):
        folder = tmp_path / name
        if name != "sb":
            made = dienstweg("--home", folder, "init", "--code", "HOM", "--authority", authority)
            assert made.status == 0, made.err
        added = dienstweg("--home", folder, "person", "add", "ego", "E", "--role", "installation")
        assert added.status == 0, added.err
    report = tmp_path / "hom.json"
    assert (
        dienstweg("--home", tmp_path / "hom", "--as", "ego", "migration", "ledger", "export", report).status
        == 0
    )
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    asked = dienstweg("--home", home, "--as", "ego", "migration", "ledger", "trust", report)
    assert asked.status == 2
    assert "--fingerprint" in asked.err
    partners = dienstweg("--home", home, "--as", "ego", "migration", "ledger", "partners", "--json")
    assert partners.json == []
