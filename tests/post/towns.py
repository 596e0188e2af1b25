"""Two town halls that know each other by post only."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from typer.testing import CliRunner, Result

from adapters.post.commands import app as post
from engine.clock import TurnedClock
from engine.definitions.package import ProcedurePackage, load_package
from engine.exchange.ports import Mailbox
from engine.service import tasks
from engine.service.directory.mailboxes import add_mailbox
from engine.service.trial import Side, open_sides
from engine.service.work import run_until_idle
from processes.bpmn import shipped
from tests.checking import sandbox
from tests.letter.rig import noisy, save_pdf, scans, skewed, texts

NOON = datetime(2026, 3, 2, 11, tzinfo=UTC)
SAARBRUECKEN, HOMBURG = "10041100", "10045114"
REFUSAL = {"pruefung": {"annahme": "nein", "grund": "Die Schuldnerin ist nach Neunkirchen verzogen."}}


class Towns:
    """Two post rooms."""

    def __init__(self, folder: Path, package: ProcedurePackage | None = None) -> None:
        self.clock = TurnedClock(NOON)
        package = package or next(load_package(it) for it in shipped() if it.name == "vollstreckungshilfe")
        roles = {"requesting": SAARBRUECKEN, "enforcing": HOMBURG}
        sides = open_sides(folder, package, roles, "letter+post", self.clock, sandbox=sandbox())
        self.sb, self.hom = sides["requesting"], sides["enforcing"]
        for side, key, address in (
            (self.sb, SAARBRUECKEN, "Rathausplatz 1\n66111 Saarbrücken"),
            (self.hom, HOMBURG, "Am Forum 5\n66424 Homburg"),
        ):
            box = Mailbox(key, "letter+post", address, NOON.date())
            add_mailbox(side.app, side.actor, box)

    def work(self) -> None:
        while not all(run_until_idle(side.app).nothing for side in (self.sb, self.hom)):
            pass

    def complete(self, side: Side, name: str, data: Any) -> None:
        line = next(it for it in tasks.list_tasks(side.app, side.actor) if it.name == name)
        tasks.complete_task(side.app, side.actor, line.id, data)
        self.work()

    def post(self, side: Side, *arguments: str) -> Result:
        return CliRunner().invoke(post, list(arguments), obj=SimpleNamespace(app=side.app, actor=side.actor))

    def told(self, side: Side, *arguments: str) -> Any:
        result = self.post(side, *arguments, "--json")
        assert result.exit_code == 0, result.exception or result.output
        return json.loads(result.stdout)

    def deliver(self, sender: Side, receiver: Side, folder: Path) -> Path:
        """Print the day's letters, carry them over and scan what is no separator."""
        (run,) = self.told(sender, "run")
        self.told(sender, "confirm", run["run"])
        printed = Path(run["folder"]) / "druck.pdf"
        sheets = [
            image
            for image, text in zip(scans(printed, 200), texts(printed), strict=True)
            if text and "Trennblatt" not in text
        ]
        scan = save_pdf([noisy(skewed(sheet, 2), 10) for sheet in sheets], folder / f"{run['run']}.pdf", 200)
        self.told(receiver, "scan", str(scan))
        self.work()
        return scan

    def again(self, receiver: Side, scan: Path, sigma: float) -> Any:
        """Scan the same sheets once more: other dots, the same paper; return what became of them."""
        copy = scan.with_name(f"again-{sigma}-{scan.name}")
        save_pdf([noisy(sheet, sigma) for sheet in scans(scan, 200)], copy, 200)
        (told,) = self.told(receiver, "scan", str(copy))
        return told["arrivals"]
