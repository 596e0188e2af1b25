"""Made-up content for shadow sends: fits the message type's schema, is about as large, and says nothing.

The real data lend their shape only: which optional fields there are, how long texts and lists are. No value
of theirs is used.
"""

import io
import random
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, BinaryIO
from uuid import UUID

from engine.definitions.schema_faults import faults
from engine.errors import RefusedError

ATTEMPTS = 20
_LETTERS = string.ascii_lowercase
_DAY = date(2020, 1, 1)
_PRINTABLE = string.ascii_letters + string.digits
_CATEGORIES = {
    codes.CATEGORY_DIGIT: string.digits,
    codes.CATEGORY_WORD: _PRINTABLE + "_",
    codes.CATEGORY_SPACE: " ",
    codes.CATEGORY_NOT_DIGIT: _LETTERS,
    codes.CATEGORY_NOT_WORD: " -",
    codes.CATEGORY_NOT_SPACE: _PRINTABLE,
}
_MOST_REPEATS = 40


class NotSyntheticError(RefusedError):
    """No content can be made up for this message type."""


def make_up(schema: Mapping[str, Any], like: Any, source: random.Random) -> Any:
    """Return data that fit ``schema``, of the shape of ``like``; the same source gives the same data.

    Raises NotSyntheticError where nothing fits after some attempts.
    """
    found: Sequence[object] = ()
    for _ in range(ATTEMPTS):
        made = _Maker(schema, source).value(schema, like)
        found = faults(schema, made)
        if not found:
            return made
    raise NotSyntheticError(
        f"the schema could not be met: {found[0]}", hint="a schema of plain fields can be made up for"
    )


@dataclass(frozen=True)
class SyntheticDocument:
    """A made-up file."""

    name: str
    media_type: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Hex digest of the content."""
        return sha256(self.content).hexdigest()

    @property
    def size(self) -> int:
        """Size in bytes."""
        return len(self.content)

    def open(self) -> BinaryIO:
        """Open the content for reading."""
        return io.BytesIO(self.content)


def make_up_document(number: int, name: str, media_type: str, size: int) -> SyntheticDocument:
    """Return a made-up file of this type and about this size; its name keeps the ending only."""
    _, dot, ending = name.rpartition(".")
    if media_type == "application/pdf":
        content = _pdf(size)
    elif media_type.endswith("xml"):
        content = b"<test><!--" + b"x" * max(size - 24, 0) + b"--></test>"
    else:
        content = (b"TEST: made-up content without meaning.\n" * (size // 40 + 1))[: max(size, 1)]
    return SyntheticDocument(f"test-{number}{dot}{ending if dot else ''}", media_type, content)


def _pdf(size: int) -> bytes:
    """Return a one-page PDF that says what it is, filled up with a comment to ``size`` bytes."""
    text = b"BT /F1 24 Tf 72 720 Td (TEST - Probesendung ohne Inhalt) Tj ET"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length " + str(len(text)).encode() + b">>stream\n" + text + b"\nendstream",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj" % number + body + b"endobj\n"
    filler = size - len(out) - 220
    while filler > 0:
        line = min(filler, 120)
        out += b"%" + b"x" * max(line - 2, 0) + b"\n"
        filler -= line
    begin = len(out)
    out += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % begin
    return bytes(out)


class _Maker:
    """Makes up one value after another from one source."""

    def __init__(self, root: Mapping[str, Any], source: random.Random) -> None:
        self._root = root
        self._source = source

    def value(self, schema: Any, like: Any) -> Any:
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._source.choice(schema["enum"])
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return self.value(
                    {**schema, key: None, **self._resolved(self._branch(schema[key], like))}, like
                )
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = self._kind(kind, like)
        match kind or ("object" if "properties" in schema else "string"):
            case "object":
                return self._object(schema, like)
            case "array":
                return self._array(schema, like)
            case "integer":
                return self._number(schema, whole=True)
            case "number":
                return self._number(schema, whole=isinstance(like, int))
            case "boolean":
                return bool(self._source.getrandbits(1))
            case "null":
                return None
            case _:
                return self._text(schema, like)

    def _resolved(self, schema: Any) -> dict[str, Any]:
        found: dict[str, Any] = dict(schema) if isinstance(schema, Mapping) else {}
        for _ in range(20):
            if "$ref" not in found:
                break
            target: Any = self._root
            for part in str(found.pop("$ref")).removeprefix("#/").split("/"):
                target = target.get(part, {}) if isinstance(target, Mapping) else {}
            found = {**target, **found}
        for part in found.pop("allOf", None) or ():
            resolved = self._resolved(part)
            properties = {**found.get("properties", {}), **resolved.get("properties", {})}
            required = [*found.get("required", ()), *resolved.get("required", ())]
            found = {**found, **resolved}
            found |= {"properties": properties} if properties else {}
            found |= {"required": required} if required else {}
        return {key: item for key, item in found.items() if item is not None}

    def _branch(self, branches: Sequence[Any], like: Any) -> Any:
        fitting = [
            branch
            for branch in branches
            if not faults({"$defs": self._root.get("$defs", {}), **branch}, like)
        ]
        return fitting[0] if fitting else self._source.choice(branches)

    @staticmethod
    def _kind(kinds: Sequence[str], like: Any) -> str:
        if like is None and "null" in kinds:
            return "null"
        return next((kind for kind in kinds if kind != "null"), "null")

    def _object(self, schema: Mapping[str, Any], like: Any) -> dict[str, Any]:
        shape = like if isinstance(like, Mapping) else {}
        wanted = schema.get("required", ())
        return {
            name: self.value(inner, shape.get(name))
            for name, inner in schema.get("properties", {}).items()
            if name in wanted or name in shape
        }

    def _array(self, schema: Mapping[str, Any], like: Any) -> list[Any]:
        shape = list(like) if isinstance(like, list) else []
        least, most = schema.get("minItems", 0), schema.get("maxItems", 1000)
        count = min(max(len(shape), least), most)
        items = schema.get("items", {})
        return [self.value(items, shape[n] if n < len(shape) else None) for n in range(count)]

    def _number(self, schema: Mapping[str, Any], *, whole: bool) -> int | float:
        low: float = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        high: float = schema.get("maximum", schema.get("exclusiveMaximum", max(low, 0) + 10_000))
        low, high = low + ("exclusiveMinimum" in schema), high - ("exclusiveMaximum" in schema)
        if whole:
            return self._source.randint(int(-(-low // 1)), max(int(high // 1), int(-(-low // 1))))
        return min(max(round(self._source.uniform(low, max(high, low)), 2), low), max(high, low))

    def _text(self, schema: Mapping[str, Any], like: Any) -> str:
        match schema.get("format"):
            case "date":
                return (_DAY + timedelta(days=self._source.randrange(2000))).isoformat()
            case "date-time":
                seconds = self._source.randrange(10**8)
                moment = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
                return moment.isoformat().replace("+00:00", "Z")
            case "email":
                return f"test{self._source.randrange(10**6)}@example.org"
            case "uuid":
                return str(UUID(int=self._source.getrandbits(128), version=4))
        if "pattern" in schema:
            return self._matching(schema["pattern"])
        wanted = len(like) if isinstance(like, str) else 12
        length = min(max(wanted, schema.get("minLength", 0)), schema.get("maxLength", wanted))
        return self._words(length)

    def _words(self, length: int) -> str:
        letters = [self._source.choice(_LETTERS) for _ in range(length)]
        for place in range(7, length - 1, 8):
            letters[place] = " "
        return "".join(letters)

    def _matching(self, pattern: str) -> str:
        return "".join(self._part(code, argument) for code, argument in parser.parse(pattern))

    def _part(self, code: Any, argument: Any) -> str:
        if code is codes.LITERAL:
            return chr(argument)
        if code is codes.NOT_LITERAL:
            return "x" if argument != ord("x") else "y"
        if code is codes.ANY:
            return self._source.choice(_LETTERS)
        if code is codes.IN:
            return self._of_set(argument)
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            least, most, inner = argument
            count = self._source.randint(least, max(least, min(most, least + 8, _MOST_REPEATS)))
            return "".join(self._part(*each) for _ in range(count) for each in inner)
        if code is codes.SUBPATTERN:
            return "".join(self._part(*each) for each in argument[3])
        if code is codes.BRANCH:
            return "".join(self._part(*each) for each in self._source.choice(argument[1]))
        return ""  # ^, $ and other places take no character

    def _of_set(self, items: Sequence[tuple[Any, Any]]) -> str:
        negated = bool(items) and items[0][0] is codes.NEGATE
        members: list[str] = []
        for code, argument in items:
            if code is codes.LITERAL:
                members.append(chr(argument))
            elif code is codes.RANGE:
                low, high = argument
                members += [chr(place) for place in range(low, min(high, low + 200) + 1)]
            elif code is codes.CATEGORY:
                members += _CATEGORIES.get(argument, _LETTERS)
        if negated:
            members = [letter for letter in _PRINTABLE + " -.,/" if letter not in members]
        return self._source.choice(members or ["x"])
