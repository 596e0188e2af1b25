"""YAML as people write it, read into JSON data with the line of every field.

Only the part of YAML 1.2 that JSON knows is read: ``yes`` and ``2026-01-31`` stay text, anchors and aliases
are refused (they make small files explode), a key that stands twice is refused.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

Path = tuple[str | int, ...]
"""The way to a field: keys and list positions from the outside in."""

MAX_DEPTH = 40
_INT = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,17}")
_MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault of a file: where it stands, what is wrong, how to mend it."""

    file: str
    """Path, in a package the one inside it, with forward slashes."""
    line: int | None
    """Line in the file, counted from 1; None where the file has no such line."""
    field: str
    """Path of the field inside the file, e.g. ``roles.requesting.process``; empty for the whole file."""
    message: str
    hint: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        field = f" {self.field}:" if self.field else ""
        return f"{place}:{field} {self.message} ({self.hint})"


class YamlFault(Exception):
    """A text that is not the YAML we read; carries the ``Problem``."""

    def __init__(self, problem: Problem) -> None:
        """Keep the problem for the list that the reader of the package collects."""
        self.problem = problem
        super().__init__(str(problem))


@dataclass(frozen=True, slots=True)
class YamlText:
    """Data of a YAML file and the line on which each field starts."""

    data: Any
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """Return the line of ``path``, or of its nearest ancestor where the path does not exist."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


def read_yaml(content: bytes, file: str) -> YamlText:
    """Read ``content``; ``file`` only names it in faults.

    Raises:
        YamlFault: not UTF-8, not YAML, or YAML beyond the subset.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise YamlFault(
            Problem(file, None, "", f"byte {error.start} is not UTF-8", "save the file as UTF-8")
        ) from error
    try:
        _check_events(text, file)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        raise YamlFault(
            Problem(file, line, "", f"is not YAML: {error.problem}", "check indentation, colons and quotes")
        ) from error
    except yaml.YAMLError as error:
        raise YamlFault(
            Problem(file, None, "", f"is not YAML: {error}", "remove control characters")
        ) from error
    if root is None:
        raise YamlFault(Problem(file, 1, "", "is empty", "write at least the required fields"))
    lines: dict[Path, int] = {}
    return YamlText(_value(root, (), file, lines), lines)


def _check_events(text: str, file: str) -> None:
    """Refuse aliases and deep nesting before anything recursive sees the text."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise YamlFault(
                Problem(file, line, "", "uses an anchor or alias", "write the value out where it is needed")
            )
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
            if depth > MAX_DEPTH:
                raise YamlFault(
                    Problem(file, line, "", f"is nested deeper than {MAX_DEPTH} levels", "flatten it")
                )
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1


def _value(node: yaml.Node, path: Path, file: str, lines: dict[Path, int]) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key, child in _pairs(node, file):
            line = child.start_mark.line + 1 if isinstance(child, yaml.ScalarNode) else None
            if key.value in result:
                raise YamlFault(
                    Problem(
                        file,
                        key.start_mark.line + 1,
                        field_name((*path, key.value)),
                        "stands here a second time",
                        "keep one of the two",
                    )
                )
            lines[(*path, key.value)] = line if line is not None else key.start_mark.line + 1
            result[key.value] = _value(child, (*path, key.value), file, lines)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*path, index), file, lines) for index, child in enumerate(node.value)]
    return _scalar(node)


def _pairs(node: yaml.MappingNode, file: str) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    for key, child in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
            raise YamlFault(
                Problem(file, key.start_mark.line + 1, "", "has a key that is no plain text", "use a word")
            )
        yield key, child


def _scalar(node: yaml.Node) -> Any:
    text: str = node.value
    if getattr(node, "style", None) is not None or node.tag == "tag:yaml.org,2002:str":
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def field_name(path: Path) -> str:
    """Write ``("steps", 2, "data")`` as ``steps[2].data``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
