"""The story: Saarbrücken asks Homburg for enforcement assistance, on paper and then electronically."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typer

from cli.demo_ways import make_way
from cli.model import package_at
from cli.show import table
from engine.actor import Actor
from engine.clock import TurnedClock
from engine.exchange.ports import Part
from engine.migration.status import Line, Question
from engine.service import cases, files, tasks
from engine.service.arrivals import registering
from engine.service.directory.authorities import import_authorities, seed_authorities
from engine.service.directory.mailboxes import add_mailbox
from engine.service.directory.people import add_person
from engine.service.exchanges.listing import explain_exchange, list_exchanges, show_exchange
from engine.service.exchanges.outcomes import CONFIRM_POSTING
from engine.service.installation import Installation, create_installation, open_installation
from engine.service.migration.status import status
from engine.service.migration.switching import Switch, switch
from engine.service.procedures import deploy
from engine.service.settings import FILE
from engine.service.verifying import verify_installation
from engine.service.work import run_until_idle

PROCEDURE = "vollstreckungshilfe"
SAARBRUECKEN, HOMBURG = "10041100", "10045114"
ADDRESSES = {
    SAARBRUECKEN: ["Rathausplatz 1", "66111 Saarbrücken"],
    HOMBURG: ["Am Forum 5", "66424 Homburg"],
}
LENGTH = timedelta(days=33)
"""How long the story takes: what it leaves behind shall not lie in the future."""


@dataclass
class Hall:
    """A town hall: its installation and the people at work there."""

    name: str
    app: Installation
    admin: Actor
    clerk: Actor

    def task(self, name: str) -> tasks.TaskLine:
        """Return the open task of this name, the newest."""
        open_tasks = tasks.list_tasks(self.app, self.clerk, limit=500)
        return [task for task in open_tasks if name in (task.name, task.kind)][-1]

    def complete(self, name: str, data: Mapping[str, Any] | None = None) -> None:
        """Complete the open task of this name."""
        tasks.complete_task(self.app, self.clerk, self.task(name).id, data or {})
        _say(f"   {self.name}: task „{name}“ completed")


class Story:
    """Two installations that know each other only through channels, and one clock for both."""

    def __init__(self, folder: Path, now: datetime, electronic: str) -> None:
        """Make both installations below ``folder``; the story ends at about ``now``.

        ``electronic`` is the way of the second half, see ``demo_ways``.
        """
        self.folder = folder
        self.clock = TurnedClock(now - LENGTH)
        self.way = make_way(electronic, folder, [SAARBRUECKEN, HOMBURG], self.clock)
        self.saarbruecken = self._found("saarbruecken", "SB", SAARBRUECKEN, "weber", "Ute Weber")
        self.homburg = self._found("homburg", "HOM", HOMBURG, "klein", "Max Klein")

    @property
    def halls(self) -> tuple[Hall, Hall]:
        """Both town halls."""
        return self.saarbruecken, self.homburg

    def close(self) -> None:
        """Close both installations, and what carried their messages."""
        for hall in self.halls:
            hall.app.close()
        self.way.close()

    def tell(self) -> None:
        """Tell the whole story."""
        _say("Two installations, each with its own database and work loop: Saarbrücken (SB), Homburg (HOM).")
        self._by_post()
        before = self._status_lines()
        self._switch()
        self._electronically()
        after = self._status_lines()
        _chapter("Migration status of Saarbrücken, computed from what was really sent")
        _status("before the switch", before)
        _status("now", after)
        self._verify()
        self._try_it()

    # --- chapters --------------------------------------------------------------------------------------

    def _by_post(self) -> None:
        _chapter("1. By post")
        case = self._request(_request("Erika", "Muster", "Grundsteuer B 2025", "K 2025/4711", 420.5))
        exchange = list_exchanges(self.saarbruecken.app, self.saarbruecken.clerk, case=case)[0]
        letter = self._post(self.saarbruecken)
        decision = explain_exchange(self.saarbruecken.app, self.saarbruecken.clerk, exchange.id)
        reasons = decision["decisions"][0]["decision"]["considered"][0]["reasons"]
        _say(f"   why by post: {', '.join(reasons)}")
        self._turn(3)
        codes = self._scan(self.homburg, letter)
        _say(f"   Homburg opens the letter; its code reads {codes[0]}")
        data = show_exchange(self.saarbruecken.app, self.saarbruecken.clerk, exchange.id)["data"]
        self._register(self.homburg, "vollstreckungsersuchen", SAARBRUECKEN, data, codes, case, letter)
        answer = self._enforce(420.5, 12.0)
        self._turn(2)
        codes = self._scan(self.saarbruecken, answer)
        own = next(code for code in codes if code.startswith("SB"))
        _say(f"   the answer comes back on paper; it repeats our code {own}")
        data = self._last_sent(self.homburg)["data"]
        reference = cases.list_cases(self.homburg.app, self.homburg.clerk)[0].own_reference
        self._register(self.saarbruecken, "vollstreckungsantwort", HOMBURG, data, codes, reference, answer)
        self.saarbruecken.complete("Antwort auswerten", {"auswertung": {"verbucht": True}})
        self._closed(case)

    def _switch(self) -> None:
        _chapter("2. The admins open mailboxes and switch the relation")
        for hall, own, partner in (
            (self.saarbruecken, SAARBRUECKEN, HOMBURG),
            (self.homburg, HOMBURG, SAARBRUECKEN),
        ):
            for owner, sender in ((own, partner), (partner, own)):
                mailbox = self.way.mailbox(owner, sender, self.clock.now().date())
                add_mailbox(hall.app, hall.admin, mailbox)
            channel = self.way.channel
            wanted = Switch(channel, procedure=PROCEDURE, recipient=partner, reason="both sides are ready")
            switch(hall.app, hall.admin, wanted)
            _say(f"   {hall.name}: {PROCEDURE} to {partner} now goes by {channel}; no model was touched")

    def _electronically(self) -> None:
        _chapter("3. The next case, same model, same version, travels as xdomea container")
        case = self._request(_request("Jonas", "Beispiel", "Gewerbesteuer 2025", "G 2025/88", 1260.0))
        for line in self.way.in_transit():
            _say(f"   {line}")
        self.clock.turn(timedelta(minutes=25))
        self._work()
        _say("   25 minutes later Homburg's work loop picked it up, acknowledged it and began its own case")
        self._enforce(1260.0, 0.0, by_post=False)
        self._work()
        self.saarbruecken.complete("Antwort auswerten", {"auswertung": {"verbucht": True}})
        self._closed(case)
        exchange = list_exchanges(self.saarbruecken.app, self.saarbruecken.clerk, case=case)[0]
        shown = show_exchange(self.saarbruecken.app, self.saarbruecken.clerk, exchange.id)
        rows = [(fact["kind"], fact["at"], fact["source"]) for fact in shown["facts"]]
        table(["Tatsache", "Zeit", "Quelle"], rows, "Receipts of the request (facts)")

    def _verify(self) -> None:
        for hall in self.halls:
            report = verify_installation(hall.app)
            verdict = "intact" if not report.faults else f"FAULTS: {report.faults}"
            _say(f"{hall.name}: {report.entries} chain entries, {report.documents} documents: {verdict}")

    def _try_it(self) -> None:
        home = self.folder / "saarbruecken"
        case = cases.list_cases(self.saarbruecken.app, self.saarbruecken.clerk)[0].own_reference
        _chapter("The data stays. Try:")
        for command in (
            "case list",
            f"case show {case}",
            f"exchange list --case {case}",
            "migration status",
            "arrival list --all",
            f"case start {PROCEDURE}",
            "task list",
        ):
            person = self.saarbruecken.admin if command.startswith("migration") else self.saarbruecken.clerk
            _say(f"   dienstweg --home {home} --as {person.person_id} {command}")
        for line in self.way.afterwards():
            _say(line)

    def _status_lines(self) -> Sequence[Line]:
        hall = self.saarbruecken
        return status(hall.app, hall.admin, Question(by=("procedure", "step", "recipient"))).lines

    # --- what people do --------------------------------------------------------------------------------

    def _request(self, data: Mapping[str, Any]) -> str:
        """Let a clerk in Saarbrücken write down a request; return the case's file reference."""
        hall = self.saarbruecken
        case = cases.start_case(hall.app, hall.clerk, PROCEDURE)
        _say(f"   {hall.name}: case {case.own_reference} begins")
        with TemporaryDirectory() as folder:
            title = Path(folder) / "vollstreckungstitel.pdf"
            title.write_bytes(_title_deed(str(data["vollstreckungsersuchen"]["forderung"]["aktenzeichen"])))
            files.add_document(hall.app, hall.clerk, case.id, title, role="vollstreckungstitel")
        hall.complete("Ersuchen erfassen", data)
        self._run(hall)
        return case.own_reference

    def _enforce(self, amount: float, fees: float, *, by_post: bool = True) -> Path | None:
        """Let Homburg's clerk work the case; return the answer's letter where it goes by post."""
        hall = self.homburg
        hall.complete("Ersuchen prüfen", {"pruefung": {"annahme": "ja"}})
        self._turn(14)
        day = self.clock.now().date().isoformat()
        attempt = {"datum": day, "art": "zahlungsaufforderung", "ergebnis": "beglichen"}
        hall.complete("Vollstreckung versuchen", {"versuch": {**attempt, "betrag": amount + fees}})
        hall.complete("Betrag auszahlen", {"vollstreckungsantwort": {"ausgezahlt_am": day}})
        report = {"ergebnis": "beglichen", "bericht": "Die Forderung wurde vollständig beglichen."}
        hall.complete("Vollstreckungsbericht fertigen", {"vollstreckungsantwort": report})
        self._run(hall)
        return self._post(hall) if by_post else None

    def _post(self, hall: Hall) -> Path:
        """Let a clerk take the printed letter to the post; return its file."""
        task = hall.task(CONFIRM_POSTING)
        about = tasks.show_task(hall.app, hall.clerk, task.id).data
        path = hall.app.settings.home / "print" / str(about["printed_as"])
        _say(f"   {hall.name}: letter printed: {path}")
        tasks.complete_task(hall.app, hall.clerk, task.id)
        _say(f"   {hall.name}: posting confirmed by {hall.clerk.person_id}")
        return path

    def _scan(self, hall: Hall, letter: Path | None) -> list[str]:
        """Read the codes off a letter, as a scanner would."""
        if letter is None:
            raise LookupError("no letter was posted")
        payload = hall.app.adapters.payload("letter")
        with TemporaryDirectory() as folder:
            part = Part(letter.name, "application/pdf", letter, "scan")
            reading = payload.read([part], Path(folder))
        codes = [reference.value for reference in reading.references if reference.kind == "code"]
        return [*codes, *([reading.sender_exchange] if reading.sender_exchange else [])]

    def _register(
        self,
        hall: Hall,
        message: str,
        sender: str,
        data: Mapping[str, Any],
        codes: Sequence[str],
        reference: str,
        letter: Path | None,
    ) -> None:
        paper = registering.PaperArrival(
            message_type=message,
            sender=sender,
            data=data,
            codes=codes,
            sender_reference=reference,
            scans=(letter,) if letter else (),
        )
        line = registering.register(hall.app, hall.clerk, paper)
        _say(f"   {hall.name}: registered as arrival: {line.status}")

    # --- scenery ---------------------------------------------------------------------------------------

    def _found(self, name: str, code: str, authority: str, login: str, person: str) -> Hall:
        home = self.folder / name

        def prepare(new: Installation) -> None:
            seed_authorities(new, [authority])
            add_person(
                new, person_id="admin", name="Administration", authority=authority, roles=["admin"], by=None
            )

        create_installation(home, code, person=login, prepare=prepare)
        with (home / FILE).open("a", encoding="utf-8") as file:
            file.write(self.way.settings(home, authority))
        app = open_installation(home, clock=self.clock)
        admin = app.actor("admin")
        add_person(app, person_id=login, name=person, authority=authority, roles=["clerk"], by=admin)
        rows = [{"id": key, "address": address} for key, address in ADDRESSES.items()]
        import_authorities(app, admin, rows)
        deploy(app, admin, package_at(PROCEDURE))
        return Hall(name.capitalize().replace("bruecken", "brücken"), app, admin, app.actor(login))

    def _work(self) -> None:
        while not all(run_until_idle(hall.app).nothing for hall in self.halls):
            pass

    @staticmethod
    def _run(hall: Hall) -> None:
        run_until_idle(hall.app)

    def _turn(self, days: int) -> None:
        self.clock.turn(timedelta(days=days))
        _say(f"   … {days} days later")
        self._work()

    @staticmethod
    def _last_sent(hall: Hall) -> dict[str, Any]:
        newest = list_exchanges(hall.app, hall.clerk)[0]
        return show_exchange(hall.app, hall.clerk, newest.id)

    def _closed(self, reference: str) -> None:
        view = cases.show_case(self.saarbruecken.app, self.saarbruecken.clerk, reference)
        _say(f"   Saarbrücken: case {reference} is {view.case.status} at {', '.join(view.end_events)}")


def _request(first: str, last: str, ground: str, reference: str, amount: float) -> dict[str, Any]:
    return {
        "empfaenger": HOMBURG,
        "vollstreckungsersuchen": {
            "schuldner": {
                "name": last,
                "vorname": first,
                "strasse": "Talstraße 1",
                "plz": "66424",
                "ort": "Homburg",
            },
            "forderung": {
                "grund": ground,
                "aktenzeichen": reference,
                "bescheid_vom": "2026-01-15",
                "faellig_seit": "2026-02-15",
                "hauptforderung": amount,
                "nebenforderungen": 12 if amount < 1000 else 0,
            },
            "vollstreckbarkeit": {"erklaert": True, "mahnung_vom": "2026-03-20"},
            "zahlung": {"iban": "DE02120300000000202051", "verwendungszweck": reference},
        },
    }


def _title_deed(reference: str) -> bytes:
    """Return a small PDF that stands for the enforceable notice."""
    import typst

    source = f'#set document(title: "Bescheid")\n#set text(lang: "de")\n= Bescheid {reference}\n'
    return bytes(typst.compile(source.encode(), format="pdf"))


def _status(title: str, lines: Sequence[Line]) -> None:
    rows = [
        (
            line.key["step"],
            line.key["recipient"],
            line.figures.exchanges,
            *(line.figures.levels[level] for level in "ABCD"),
            line.figures.confirmed.count,
        )
        for line in lines
        if line.figures.exchanges
    ]
    columns = ["Schritt", "an", "n", "A Papier", "B Dokument", "C Daten", "D Abruf", "bestätigt"]
    table(columns, rows, title)


def _chapter(title: str) -> None:
    typer.echo(f"\n{title}")


def _say(line: str) -> None:
    typer.echo(line)
