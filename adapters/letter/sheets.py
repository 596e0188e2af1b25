"""Which pages belong together, and whether a letter is whole: pure rules over the codes on pages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from adapters.letter.codes import understand
from adapters.letter.decoding import Page
from engine.exchange.codes import Code, Kind


@dataclass(frozen=True, slots=True)
class Numbered:
    """A scanned page with the code of its own sheet."""

    page: Page
    code: Code | None
    """None: no code, none of ours, or only one that was reprinted from a partner's letter."""


@dataclass(slots=True)
class Stack:
    """Pages that belong together, in the order they were scanned."""

    pages: list[Numbered] = field(default_factory=list)

    @property
    def code(self) -> Code | None:
        """The code of the first coded sheet, as the code of the letter as a whole."""
        coded = next((it.code for it in self.pages if it.code is not None), None)
        return None if coded is None else coded.whole()

    @property
    def contents(self) -> list[str]:
        """The contents of all codes on the pages."""
        return [content for it in self.pages for content in it.page.contents]


def number(page: Page) -> Numbered:
    """Find the code of the page's own sheet: the lowest one.

    A code of a letter as a whole was reprinted from a partner's letter; one further up belongs to a letter
    that is attached.
    """
    codes = [found for found in map(understand, page.contents) if isinstance(found, Code) and found.page]
    return Numbered(page, codes[-1] if codes else None)


def split(pages: Iterable[Page]) -> list[Stack]:
    """Split scanned pages where another letter's code begins, or the same letter's first sheet again.

    Pages without a code stay with the sheets before them: the answer sheet lies on top of the answer.
    """
    stacks: list[Stack] = []
    for page in pages:
        numbered = number(page)
        if not stacks or _begins(stacks[-1], numbered.code):
            stacks.append(Stack())
        stacks[-1].pages.append(numbered)
    return stacks


def _is_sheet_that_came_along(stack: Stack, code: Code) -> bool:
    """Tell whether this is the empty answer sheet behind the very letter that brought it."""
    first = stack.code
    return (
        first is not None
        and (first.kind, code.kind) == (Kind.LETTER, Kind.ANSWER)
        and (first.installation, first.key) == (code.installation, code.key)
        and all(it.code is None or it.code.kind is Kind.LETTER for it in stack.pages)
    )


def _begins(stack: Stack, code: Code | None) -> bool:
    if code is None:
        return False
    if _is_sheet_that_came_along(stack, code):
        return False
    if code.whole() != stack.code:
        return True
    seen = {it.code.page for it in stack.pages if it.code is not None}
    return code.page in seen and code.page == 1


def remarks_on(pages: Sequence[Numbered]) -> list[str]:
    """Return what a clerk should know of a document's sheets: missing, doubled, out of order, uncoded."""
    found: list[str] = []
    letters: dict[Code, list[int]] = {}
    for it in pages:
        if it.code is not None:
            letters.setdefault(it.code.whole(), []).append(it.code.page)
    for whole, numbers in letters.items():
        total = next(it.code.pages for it in pages if it.code is not None and it.code.whole() == whole)
        name = "Antwortblatt" if whole.kind is Kind.ANSWER else f"Brief {whole.text}"
        missing = sorted(set(range(1, total + 1)) - set(numbers))
        doubled = sorted({page for page in numbers if numbers.count(page) > 1})
        if missing:
            found.append(f"{name}: Seite {_listed(missing)} von {total} fehlt (missing)")
        if doubled:
            found.append(f"{name}: Seite {_listed(doubled)} doppelt (twice)")
        if numbers != sorted(numbers):
            found.append(f"{name}: Reihenfolge {_listed(numbers)} (out of order)")
    bare = [it.page.number for it in pages if it.code is None and not it.page.blank]
    if bare and any(whole.kind is Kind.LETTER for whole in letters):
        found.append(f"ohne Code (without code): Blatt {_listed(bare)}")
    return found


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(str(number) for number in numbers)
