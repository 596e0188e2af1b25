"""The XML of a DMN file: namespaces, children, texts, and errors that name file and line."""

from collections.abc import Iterator

from lxml import etree

from engine.decisions.errors import DecisionFileError
from engine.definitions.xml import line_of, parse_xml, split
from engine.expressions import ExpressionError

NAMESPACES = {
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd": "1.1",
    "http://www.omg.org/spec/DMN/20180521/MODEL/": "1.2",
    "https://www.omg.org/spec/DMN/20191111/MODEL/": "1.3",
    "https://www.omg.org/spec/DMN/20211108/MODEL/": "1.4",
    "https://www.omg.org/spec/DMN/20230324/MODEL/": "1.5",
}
"""Namespace → version of DMN."""
FEEL_URIS = frozenset(
    {
        "feel",
        "http://www.omg.org/spec/feel/20140401",
        "http://www.omg.org/spec/dmn/20180521/feel/",
        "https://www.omg.org/spec/dmn/20191111/feel/",
        "https://www.omg.org/spec/dmn/20211108/feel/",
        "https://www.omg.org/spec/dmn/20230324/feel/",
    }
)
IGNORED = frozenset({"description", "extensionElements", "question", "allowedAnswers"})
"""Elements of DMN that say nothing to a machine."""


class Source:
    """A parsed file."""

    def __init__(self, data: bytes, file: str) -> None:
        """Parse ``data``; raise UnreadableFileError for what is no XML or no DMN that we know."""
        self.file = file
        self.root = parse_xml(data, file)
        self.namespace, name = split(self.root.tag)
        if self.namespace not in NAMESPACES or name != "definitions":
            raise self.fault(
                f'"{name}" in the namespace "{self.namespace}" is no DMN 1.1 to 1.5',
                self.root,
                "export the decisions as DMN 1.3",
            )
        self.version = NAMESPACES[self.namespace]
        self.language(self.root)

    def fault(self, message: str, element: etree._Element, hint: str | None = None) -> DecisionFileError:
        """Return an error that points at ``element``."""
        return DecisionFileError(message, self.file, line_of(element), hint=hint)

    def children(self, element: etree._Element) -> Iterator[tuple[str, etree._Element]]:
        """Yield local name and element of each child in DMN's namespace that says something."""
        for child in element:
            namespace, name = split(child.tag)
            if namespace == self.namespace and name not in IGNORED:
                yield name, child

    def child(self, element: etree._Element, name: str) -> etree._Element | None:
        """Return the first child called ``name``."""
        return element.find(f"{{{self.namespace}}}{name}")

    def only(self, element: etree._Element, *names: str) -> None:
        """Refuse children other than ``names``."""
        for name, child in self.children(element):
            if name not in names:
                raise self.fault(f'"{name}" is not supported in "{split(element.tag)[1]}"', child)

    def text(self, element: etree._Element) -> str:
        """Return the text of the child ``text``, as it is; empty where there is none."""
        child = self.child(element, "text")
        return "" if child is None else "".join(str(part) for part in child.itertext())

    def language(self, element: etree._Element) -> None:
        """Refuse an expression language other than FEEL."""
        language = (element.get("expressionLanguage") or "").strip()
        if language and language.lower() not in FEEL_URIS:
            raise self.fault(
                f'the expression language "{language[:100]}" is not supported',
                element,
                "write FEEL and drop the attribute expressionLanguage",
            )

    def name_of(self, element: etree._Element) -> str:
        """Return the element's name, blanks made single; refuse an element without one."""
        name = " ".join((element.get("name") or "").split())
        if not name:
            raise self.fault(f'"{split(element.tag)[1]}" has no name', element, "give it a name")
        return name

    def expression_fault(self, error: ExpressionError, element: etree._Element) -> DecisionFileError:
        """Return the error of an expression as an error of the file, at the line where it goes wrong."""
        child = self.child(element, "text")
        text = self.text(element)
        blank = text[: len(text) - len(text.lstrip())].count("\n")
        line = line_of(element if child is None else child) + blank + max(error.position.line - 1, 0)
        place = "" if not error.text else f" ({error.where})" if error.where else ""
        return DecisionFileError(f"{error.message}{place}", self.file, line, hint=error.hint)
