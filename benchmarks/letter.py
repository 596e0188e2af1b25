"""Letters: setting them, a day's print run, reading scans back."""

import gc
import io
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from adapters.letter.decoding import decode
from adapters.letter.payload import LetterPayload
from adapters.letter.pdfs import page_count, render_page
from adapters.post.print_folder import PrintFolder
from adapters.post.runs import PrintRuns
from adapters.post.tariffs import read_tariffs
from benchmarks.result import Row
from engine.clock import TurnedClock
from engine.exchange.ports import AdapterContext, Envelope, FormClass, Mailbox, MessageType, Party
from engine.identifiers import SeededIds

DESCRIPTION = "letters set with a reused compiler, a print run and its memory, codes read from scans"

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = date(2026, 3, 2)
TEMPLATE = """Sehr geehrte Damen und Herren,

wir bitten um Vollstreckungshilfe gegen {{ data.name }}, {{ data.anschrift }}.

| Hauptforderung | {{ data.betrag | euro }} |
| Säumniszuschläge | {{ data.saeumnis | euro }} |

Der Bescheid ist unanfechtbar, die Schuldnerin oder der Schuldner wurde gemahnt, und die Frist der Mahnung ist
ohne Zahlung verstrichen. Bitte überweisen Sie eingehende Beträge auf das bekannte Konto.

Mit freundlichen Grüßen
"""
MESSAGE = MessageType("ersuchen", "1.0", "Vollstreckungsersuchen", {"type": "object"}, template=TEMPLATE)
SENDER = Party(
    "10041100",
    "Landeshauptstadt Saarbrücken",
    "Stadtkasse",
    ("Rathausplatz 1", "66111 Saarbrücken"),
    {"person": "Frau Groß", "phone": "0681 0", "email": "kasse@saarbruecken.example"},
)
RECIPIENT = Party("10045114", "Kreisstadt Homburg", "Vollstreckung", ("Am Forum 5", "66424 Homburg"))
BOX = Mailbox("10045114", "letter+post", "Am Forum 5\n66424 Homburg", DAY)


@dataclass(frozen=True)
class Attachment:
    content: bytes
    name: str = "Bescheid.pdf"
    media_type: str = "application/pdf"
    sha256: str = "0" * 64

    @property
    def size(self) -> int:
        return len(self.content)

    def open(self) -> io.BytesIO:
        return io.BytesIO(self.content)


class Office:
    """Writes letters into a folder."""

    def __init__(self, folder: Path) -> None:
        self.ids = SeededIds(1)
        self.folder = folder
        self.payload = LetterPayload(
            AdapterContext("SB", folder, {}, TurnedClock(NOW), self.ids, self.ids.token(32))
        )

    def envelope(self, number: int) -> Envelope:
        data = {
            "name": f"Müller {number}",
            "anschrift": f"Gartenstraße {number}, 66424 Homburg",
            "betrag": 100 + number,
            "saeumnis": number % 17,
        }
        return Envelope(
            exchange_id=str(self.ids.new()),
            dispatch_id=str(self.ids.new()),
            installation="SB",
            message_type=MESSAGE,
            sender=SENDER,
            recipient=RECIPIENT,
            own_reference=f"SB-2026-{number:06d}",
            partner_reference=None,
            subject=f"Vollstreckungsersuchen gegen Müller {number}",
            data=data,
            documents=[],
            form=FormClass.CONFIDENTIAL,
            created=NOW,
            answer_due=date(2026, 4, 1),
        )

    def write(self, envelope: Envelope) -> Path:
        folder = self.folder / envelope.dispatch_id
        folder.mkdir()
        return self.payload.build(envelope, BOX, folder)[0].path


def timed(act, count: int) -> list[float]:  # type: ignore[no-untyped-def]
    times = []
    for number in range(count):
        begin = time.perf_counter()
        act(number)
        times.append((time.perf_counter() - begin) * 1000)
    return times


def resident_mb() -> float:
    """Memory this process holds now, in MB (Linux)."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def run(scale: str) -> list[Row]:
    count = 1_000 if scale == "full" else 100
    with tempfile.TemporaryDirectory() as folder:
        return [
            *setting(Path(folder) / "office", count),
            *printing(Path(folder), count),
            *reading(Path(folder)),
        ]


def setting(folder: Path, count: int) -> list[Row]:
    folder.mkdir()
    office = Office(folder)
    first = timed(lambda n: office.write(office.envelope(n)), 1)[0]
    warm = timed(lambda n: office.write(office.envelope(n)), count // 10)
    before, cpu = resident_mb(), time.process_time()
    rest = timed(lambda n: office.write(office.envelope(n)), count - count // 10)
    cpu = (time.process_time() - cpu) / len(rest) * 1000
    after = resident_mb()
    attachment = Attachment(next(folder.glob("*/*.pdf")).read_bytes())
    with_pdf = timed(lambda n: office.write(replace(office.envelope(n), documents=[attachment])), 30)
    return [
        Row("first letter, compiler and fonts included", first, "ms"),
        Row(
            "letter of two sheets (one of them the answer sheet), median",
            statistics.median(warm + rest),
            "ms",
        ),
        Row("same, processor time, mean", cpu, "ms"),
        Row("same, 95th percentile", statistics.quantiles(warm + rest, n=20)[-1], "ms"),
        Row("letter with an appended PDF, median", statistics.median(with_pdf), "ms"),
        Row(f"memory after {count} letters less after {count // 10}", after - before, "MB"),
    ]


def printing(folder: Path, count: int) -> list[Row]:
    letters = sorted((folder / "office").glob("*/*.pdf"))[:count]
    print_folder = PrintFolder(folder / "print")
    for number, path in enumerate(letters):
        details = {
            "dispatch": f"{number:08d}",
            "pages": 2,
            "answer_sheet": True,
            "registered": "none",
            "recipient": ["Kreisstadt Homburg", "Am Forum 5", "66424 Homburg"],
            "reference": f"SB-2026-{number:06d}",
        }
        print_folder.lay(f"10041100/{number:06d}.pdf", path, details)
    peak = before = resident_mb()

    def watch(done: int, _of: int) -> None:
        nonlocal peak
        if done % 50 == 0:
            peak = max(peak, resident_mb())

    runs = PrintRuns(print_folder, "10041100", read_tariffs(), duplex=True)
    begin = time.perf_counter()
    (plan,) = runs.run(NOW, DAY, "benchmark", watch)
    seconds = time.perf_counter() - begin
    joined = runs.path(plan.run) / "druck.pdf"
    return [
        Row(f"print run of {len(plan.letters)} letters", seconds, "s"),
        Row("pages in its print file", page_count(joined), "pages"),
        Row("size of its print file", joined.stat().st_size / 1e6, "MB"),
        Row("memory it took at most", peak - before, "MB"),
    ]


def reading(folder: Path) -> list[Row]:
    letter = next((folder / "office").glob("*/*.pdf"))
    rows = []
    for dpi in (150, 300):
        sheet = render_page(letter, 0, dpi).convert("L")
        times = timed(lambda _, sheet=sheet: decode(sheet), 20)
        rows.append(Row(f"reading a clean sheet at {dpi} dpi, median", statistics.median(times), "ms"))
    return rows
