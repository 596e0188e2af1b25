"""A print folder with letters in it."""

from datetime import UTC, date, datetime
from pathlib import Path

from adapters.post.print_folder import PrintFolder
from adapters.post.runs import PrintRuns
from adapters.post.tariffs import read_tariffs
from tests.letter.rig import blank_pdf

AUTHORITY = "10041100"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DAY = date(2026, 3, 2)
TOWNS = ("66424 Homburg", "66538 Neunkirchen", "66111 Saarbrücken", "66740 Saarlouis")


class PostRoom:
    """One authority's post room."""

    def __init__(self, root: Path, *, duplex: bool = True) -> None:
        self.root = root
        self.duplex = duplex
        self.laid = 0

    @property
    def folder(self) -> PrintFolder:
        return PrintFolder(self.root / "print")

    @property
    def runs(self) -> PrintRuns:
        return PrintRuns(self.folder, AUTHORITY, read_tariffs(), duplex=self.duplex)

    def lay(
        self,
        *,
        pages: int = 1,
        registered: str = "none",
        town: str | None = None,
        content: bytes | None = None,
        answer_sheet: bool = False,
    ) -> str:
        self.laid += 1
        source = self.root / "source.pdf"
        self.root.mkdir(parents=True, exist_ok=True)
        source.write_bytes(content or blank_pdf(pages))
        dispatch = f"{self.laid:08d}-0000-4000-8000-000000000000"
        details = {
            "dispatch": dispatch,
            "pages": pages,
            "answer_sheet": answer_sheet,
            "registered": registered,
            "recipient": [f"Stadt {self.laid}", "Straße 1", town or TOWNS[self.laid % len(TOWNS)]],
            "reference": f"SB-2026-{self.laid:06d}",
        }
        self.folder.lay(f"{AUTHORITY}/2026-03-02_Brief_SB-{self.laid:04d}.pdf", source, details)
        return dispatch

    def print(self) -> list[str]:
        return [plan.run for plan in self.runs.run(NOW, DAY, "anna")]
