"""Files that kill, hang or bloat the checking process are findings; the next file gets a fresh process."""

from pathlib import Path

import pytest

from engine.definitions.checker import (
    CheckContext,
    Limits,
    Sandbox,
    check_model,
    check_package,
    check_untrusted,
)
from engine.definitions.checker.wire import context_from, context_to
from engine.definitions.package import load_package
from engine.definitions.xml import MAX_BYTES
from tests.definitions.bpmn import definitions, line, process

GOOD = definitions(line('<userTask id="ask"/>', ids=("ask",)))
SLOW = definitions(process("<task/>" * 400_000))
"""Legal in size, but hundreds of thousands of tasks take longer to judge than one file may."""


@pytest.fixture(scope="module")
def sandbox() -> object:
    with Sandbox() as started:
        yield started


def test_says_the_same_as_the_checker_itself(sandbox: Sandbox) -> None:
    for data in (GOOD, b"", b"<a/>", definitions(line('<receiveTask id="wait"/>', ids=("wait",)))):
        assert sandbox.check(data, "ä/../loan.bpmn") == check_model(data, "ä/../loan.bpmn")


def test_hands_the_context_over(sandbox: Sandbox) -> None:
    data = definitions(line('<userTask id="ask" camunda:formRef="permit"/>', ids=("ask",)))
    assert sandbox.check(data, "x", context=CheckContext(forms=frozenset({"permit"}))).accepted
    assert not sandbox.check(data, "x", context=CheckContext(forms=frozenset())).accepted
    full = CheckContext(forms=frozenset({"a", "b"}), workers=frozenset(), executable=frozenset({"c"}))
    assert context_from(context_to(full)) == full
    assert context_from(context_to(None)) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(range(256)) * 50,
        b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><l>&b;</l>',
        b"<a>" * 100_000,
        b"x" * (MAX_BYTES + 1),
        definitions(process('<subProcess id="s">' * 200 + "</subProcess>" * 200)),
        "\ud800".encode("utf-8", "surrogatepass"),
    ],
    ids=["empty", "binary", "laughs", "deep", "large", "nested", "surrogate"],
)
def test_hostile_content_is_refused(sandbox: Sandbox, data: bytes) -> None:
    report = sandbox.check(data, "../../etc/passwd")
    assert not report.accepted
    assert report.file == "../../etc/passwd"


def test_a_report_stays_readable_whatever_the_names(sandbox: Sandbox) -> None:
    name = "n" * 1_000_000
    report = sandbox.check(definitions(line(f'<receiveTask id="t" name="{name}"/>', ids=("t",))), "x.bpmn")
    assert not report.accepted
    assert len(report.to_json()) < 10_000


def test_a_file_that_takes_too_long_is_a_finding_and_the_next_one_is_checked() -> None:
    with Sandbox(Limits(seconds=1)) as strict:
        (finding,) = strict.check(SLOW, "slow.bpmn").findings
        assert finding.rule == "DW112"
        assert "more than 1 s" in finding.message
        assert strict.check(GOOD, "good.bpmn").accepted


def test_a_file_that_takes_too_much_memory_is_a_finding_and_the_next_one_is_checked() -> None:
    with Sandbox(Limits(memory_mib=300)) as strict:
        assert strict.check(GOOD, "good.bpmn").accepted
        (finding,) = strict.check(b"<a>" + b"<b/>" * 4_500_000 + b"</a>", "large.bpmn").findings
        assert finding.rule in ("DW101", "DW112")
        assert "memory" in finding.message.lower()
        assert strict.check(GOOD, "good.bpmn").accepted


def test_one_process_serves_many_files(sandbox: Sandbox) -> None:
    sandbox.check(GOOD, "one.bpmn")
    first = sandbox._process
    sandbox.check(GOOD, "two.bpmn")
    assert sandbox._process is first


def test_the_process_sees_nothing_of_the_parents_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIENSTWEG_SECRET", "key")
    with Sandbox() as started:
        started.check(GOOD, "x")
        assert started._process is not None
        environment = Path(f"/proc/{started._process.pid}/environ")
        if not environment.exists():
            pytest.skip("this system has no /proc")
        assert b"DIENSTWEG_SECRET" not in environment.read_bytes()


def test_a_single_file_needs_no_sandbox_of_its_own() -> None:
    assert check_untrusted(GOOD, "loan.bpmn").accepted


def test_models_of_a_package_know_each_other(tmp_path: Path) -> None:
    caller = definitions(line('<callActivity id="call" calledElement="inner"/>', ids=("call",)))
    inner = definitions(line('<userTask id="ask"/>', ids=("ask",))).replace(b'"loan"', b'"inner"')
    folder = tmp_path / "loan"
    folder.mkdir()
    (folder / "procedure.yaml").write_text(
        """format: 1
key: loan
models: [loan.bpmn, inner.bpmn]
title: Leihe
summary: Ein Buch wird verliehen.
basis:
  - law: Satzung
    paragraphs: "§ 1"
roles:
  lender:
    process: loan
    title: Bücherei
retention:
  period: P1Y
  from: case-end
  basis: Satzung
""",
        "utf-8",
    )
    for name, data in (("loan.bpmn", caller), ("inner.bpmn", inner)):
        (folder / name).write_bytes(data)
    package = load_package(folder)
    assert all(report.findings == () for report in check_package(package))
