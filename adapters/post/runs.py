"""Print runs (Tagespost): an authority's waiting letters become one sorted print file with its posting list.

A run is planned first: which letters, in which order, at what postage. The plan is written once and never
changes; everything after it can be repeated. A letter belongs to the plan that names it, so a run that was
cut off is finished before another is planned, and no letter is printed twice.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from adapters.post.errors import (
    NothingToPostError,
    PrintFolderError,
    PrintRunDamagedError,
    PrintRunUnfinishedError,
    PrintRunUnknownError,
    TariffMissingError,
)
from adapters.post.files import settle, sha256_of, sync_folder, write_atomically
from adapters.post.joining import Joiner
from adapters.post.print_folder import LETTERS, RUNS, Letter, PrintFolder
from adapters.post.run_papers import Papers
from adapters.post.tariffs import Postage, Tariff, postage

PLAN, PRINT, LIST_CSV, LIST_PDF, REPRINTS = (
    "plan.json",
    "druck.pdf",
    "postliste.csv",
    "postliste.pdf",
    "reprints.jsonl",
)
_LOCK = ".lock"
_ORDER = ("rueckschein", "uebergabe", "einwurf", "none")
_SIZES = ("standard", "kompakt", "gross", "maxi", "")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Planned:
    """A letter at its place in a run."""

    position: int
    letter: Letter
    product: str
    """Empty where the tariff table knows none."""
    title: str
    grams: int | None
    cents: int | None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run prints; written once."""

    run: str
    authority: str
    day: date
    planned_at: datetime
    planned_by: str
    duplex: bool
    letters: tuple[Planned, ...]

    @property
    def cents(self) -> int:
        """Postage of all letters whose tariff is known."""
        return sum(it.cents or 0 for it in self.letters)

    @property
    def groups(self) -> list[tuple[str, list[Planned]]]:
        """The letters in printing order, one group a separator sheet."""
        return [(title, list(group)) for title, group in groupby(self.letters, key=lambda it: it.title)]


class PrintRuns:
    """The print runs of one authority."""

    def __init__(
        self, folder: PrintFolder, authority_id: str, tariffs: Sequence[Tariff], *, duplex: bool
    ) -> None:
        """Work on the authority's subfolder of the print folder."""
        self._folder = folder
        self._authority = authority_id
        self._tariffs = tariffs
        self._duplex = duplex
        self._root = folder.authority(authority_id)

    def run(
        self,
        now: datetime,
        day: date,
        by: str,
        progress: Progress | None = None,
        wanted: Callable[[Letter], bool] = lambda _: True,
    ) -> list[Plan]:
        """Finish what was cut off, then print what waits; return the runs printed by this call.

        ``day`` decides the tariffs and the run's name; letters that are not ``wanted`` stay where they are.
        Raises NothingToPostError where nothing waits,
        PrintFolderError where another call is at work or the disk does not let us.
        """
        with self._locked():
            printed = [self._print(plan, progress) for plan in self.plans() if not self._is_printed(plan.run)]
            waiting = [letter for letter in self._folder.waiting(self._authority) if wanted(letter)]
            if waiting:
                plan = self._plan(waiting, now, day, by)
                printed.append(self._print(plan, progress))
        if not printed:
            raise NothingToPostError("no letter waits for printing", where=str(self._root))
        return printed

    def plans(self) -> list[Plan]:
        """Return all runs, the oldest first."""
        return [_read_plan(path) for path in sorted(self._root.glob(f"{RUNS}/*/{PLAN}"))]

    def plan(self, run: str) -> Plan:
        """Return one run; raise PrintRunUnknownError."""
        path = self.path(run) / PLAN
        if "/" in run or run.startswith(".") or not path.is_file():
            raise PrintRunUnknownError(f"no print run {run!r}", hint="'dienstweg post list' shows them")
        return _read_plan(path)

    def printed(self, run: str) -> Plan:
        """Return a run whose print file is whole; raise PrintRunUnknownError, PrintRunUnfinishedError."""
        plan = self.plan(run)
        if not self._is_printed(run):
            raise PrintRunUnfinishedError(
                f"print run {run} was cut off, so its letters are not printed",
                hint="'dienstweg post run' finishes it; print and post it, then confirm",
            )
        return plan

    def path(self, run: str) -> Path:
        """Return a run's folder."""
        return self._root / RUNS / run

    def reprint(self, key: str, at: datetime, by: str) -> Path:
        """Return the file of a letter that a run printed; the reprint is noted with the run.

        ``key`` is the beginning of the dispatch's id or part of the file's name (e.g. of the printed code).
        Raises PrintRunUnknownError where none or several fit.
        """
        found = [
            (plan, it)
            for plan in self.plans()
            for it in plan.letters
            if len(key) >= 6 and (it.letter.dispatch.startswith(key) or key.upper() in it.letter.name.upper())
        ]
        if len(found) != 1:
            raise PrintRunUnknownError(
                f"{len(found)} printed letters fit {key!r}",
                hint="give at least six characters of dispatch or code",
            )
        plan, it = found[0]
        path = self.path(plan.run) / LETTERS / it.letter.name
        note = {"dispatch": it.letter.dispatch, "at": at.isoformat(), "by": by}
        with (self.path(plan.run) / REPRINTS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(note) + "\n")
        return path

    def _plan(self, waiting: Sequence[Letter], now: datetime, day: date, by: str) -> Plan:
        ordered = sorted((self._rated(letter, day) for letter in waiting), key=_sort_key)
        plan = Plan(
            run=self._free_name(day),
            authority=self._authority,
            day=day,
            planned_at=now,
            planned_by=by,
            duplex=self._duplex,
            letters=tuple(replace(it, position=number) for number, it in enumerate(ordered, start=1)),
        )
        folder = self.path(plan.run)
        with _disk(folder):
            (folder / LETTERS).mkdir(parents=True, exist_ok=True)
            write_atomically(
                folder / PLAN, json.dumps(asdict(plan), default=str, ensure_ascii=False).encode()
            )
        return plan

    def _rated(self, letter: Letter, day: date) -> Planned:
        try:
            cost = postage_of(letter, self._tariffs, day, duplex=self._duplex)
        except TariffMissingError as error:
            return Planned(0, letter, "", f"ohne Tarif{_signed(letter)}", None, None, error.message)
        title = f"{cost.title}{_signed(letter)}"
        return Planned(0, letter, cost.product, title, cost.grams, cost.cents)

    def _free_name(self, day: date) -> str:
        number = 1
        while (self.path(f"{day.isoformat()}-{number:02d}") / PLAN).exists():
            number += 1
        return f"{day.isoformat()}-{number:02d}"

    def _is_printed(self, run: str) -> bool:
        # The print file is written last: where it is, everything else is.
        return (self.path(run) / PRINT).exists()

    def _print(self, plan: Plan, progress: Progress | None) -> Plan:
        folder = self.path(plan.run)
        with _disk(folder):
            for it in plan.letters:
                self._take(it.letter, folder / LETTERS / it.letter.name)
            sync_folder(folder / LETTERS)
            papers = Papers(plan.run, plan.authority, plan.day)
            write_atomically(folder / LIST_CSV, papers.list_csv(plan.groups))
            with _whole(folder / LIST_PDF) as file:
                papers.write_list(plan.groups, plan.planned_at, file, folder)
            self._join(plan, papers, folder, progress)
        return plan

    def _take(self, letter: Letter, target: Path) -> None:
        """Move a letter out of the waiting ones; it may have been moved before a crash."""
        if not target.exists():
            waiting = self._root / letter.name
            if not waiting.exists():
                raise PrintRunDamagedError(
                    "the letter is gone",
                    where=letter.name,
                    hint="put it back into the print folder and run again",
                )
            waiting.replace(target)
        if sha256_of(target) != letter.sha256:
            raise PrintRunDamagedError(
                "the letter is not the one that was laid down",
                where=letter.name,
                hint="put the original back",
            )

    def _join(self, plan: Plan, papers: Papers, folder: Path, progress: Progress | None) -> None:
        sheet = folder / ".separator.pdf"
        with _whole(folder / PRINT) as file:
            joiner = Joiner(file)
            for number, (title, letters) in enumerate(plan.groups, start=1):
                sheet.write_bytes(papers.separator(number, len(plan.groups), title, letters, plan.planned_at))
                joiner.add(sheet, even=plan.duplex)
                for it in letters:
                    if not it.letter.original:
                        joiner.add(folder / LETTERS / it.letter.name, even=plan.duplex)
                    if progress is not None:
                        progress(it.position, len(plan.letters))
            joiner.finish()
            sheet.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one call at a time work on an authority's runs; the lock ends with its process."""
        import fcntl

        with _disk(self._root):
            self._root.mkdir(parents=True, exist_ok=True)
            file = (self._root / _LOCK).open("w")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise PrintFolderError(
                    "another print run is at work", where=str(self._root), hint="wait until it is done"
                ) from error
            yield


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file that gets its name only when it is written and synced."""
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    settle(temporary, path)


@contextmanager
def _disk(where: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PrintFolderError(
            f"cannot write: {error.strerror}",
            where=str(where),
            hint="free the disk, then run again: it resumes",
        ) from error


def postage_of(letter: Letter, tariffs: Sequence[Tariff], day: date, *, duplex: bool) -> Postage:
    """Return what a letter costs that is posted on ``day``; raise TariffMissingError."""
    return postage(
        tariffs, letter.pages, letter.registered, day, duplex=duplex, answer_sheet=letter.answer_sheet
    )


def product_name(product: str, letter: Letter) -> str:
    """Name a product with its registered variant, as ``kompakt`` or ``standard+rueckschein``."""
    return product if letter.registered == "none" else f"{product}+{letter.registered}"


def _signed(letter: Letter) -> str:
    """Mark letters that were signed by hand: their separator sheet asks for the originals."""
    return ", unterschriebene Originale dazulegen" if letter.original else ""


def _sort_key(it: Planned) -> tuple[int, int, bool, str, str, str]:
    """Registered ones first, then by product, postcode, recipient and name, as the post wants bundles."""
    lines = it.letter.recipient
    town = next((line for line in reversed(lines) if line[:5].isdigit()), "")
    return (
        _ORDER.index(it.letter.registered),
        _SIZES.index(it.product) if it.product in _SIZES else len(_SIZES),
        it.letter.original,
        town,
        lines[0] if lines else "",
        it.letter.name,
    )


def _read_plan(path: Path) -> Plan:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        letters = tuple(
            Planned(
                **{**it, "letter": Letter(**{**it["letter"], "recipient": tuple(it["letter"]["recipient"])})}
            )
            for it in values.pop("letters")
        )
        day, at = date.fromisoformat(values.pop("day")), datetime.fromisoformat(values.pop("planned_at"))
        return Plan(**values, day=day, planned_at=at, letters=letters)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PrintRunDamagedError("the plan of the run is damaged", where=str(path)) from error
