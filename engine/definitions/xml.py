"""Parses XML from strangers: no DOCTYPE, no entities, no network, no huge trees (DESIGN, rule 8).

Every BPMN and DMN file of the product goes through ``parse_xml``.
"""

from pyexpat import ExpatError
from typing import Any
from xml.parsers import expat

from lxml import etree

from engine.errors import RefusedError

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMN_DI = "http://www.omg.org/spec/BPMN/20100524/DI"
DW = "urn:dienstweg:bpmn:1"
ZEEBE = "http://camunda.org/schema/zeebe/1.0"
CAMUNDA_LIKE = frozenset(
    {
        "http://camunda.org/schema/1.0/bpmn",
        "http://operaton.org/schema/1.0/bpmn",
        "http://flowable.org/bpmn",
        "http://activiti.org/bpmn",
    }
)
"""Namespaces whose attributes and elements of the same name mean the same."""

MAX_BYTES = 20 * 1024 * 1024
"""Largest file that is read, in bytes."""


class UnreadableFileError(RefusedError):
    """The file cannot be read as a model."""

    def __init__(self, reason: str, file: str, line: int | None = None, *, hint: str | None = None) -> None:
        """Keep what is wrong (``reason``) and the line it stands on, counted from 1."""
        self.reason = reason
        self.file = file
        self.line = line
        super().__init__(reason, where=file if line is None else f"{file}:{line}", hint=hint)


class NotXmlError(UnreadableFileError):
    """The file is not well-formed XML."""


class ForbiddenXmlError(UnreadableFileError):
    """The file uses a part of XML that can hide other content: DOCTYPE, entities."""


class TooLargeError(UnreadableFileError):
    """The file is larger, deeper or holds more than a model needs."""


class NotBpmnError(UnreadableFileError):
    """The file is XML, but not BPMN 2.0."""


def parse_xml(data: bytes, file: str) -> etree._Element:
    """Return the root element of ``data``; comments and processing instructions are left out.

    Raises:
        UnreadableFileError: one of its subclasses, with the line where the parser knows it.
    """
    if len(data) > MAX_BYTES:
        size = f"{len(data) / 1048576:.0f} MiB"
        raise TooLargeError(
            f"the file has {size}, at most {MAX_BYTES // 1048576} MiB are read",
            file,
            hint="split the model, or take embedded pictures out of it",
        )
    if not data.strip():
        raise NotXmlError("the file is empty", file, hint="export the model again from the modeler")
    refuse_doctype(data, file)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise _syntax(error, file) from error
    except ValueError as error:
        raise NotXmlError(str(error), file) from error
    document: Any = root.getroottree().docinfo
    if document.doctype:
        raise _doctype(file, 1)
    return root


def clark(namespace: str, name: str) -> str:
    """Return the name as lxml writes it: ``{namespace}name``."""
    return f"{{{namespace}}}{name}"


def split(tag: object) -> tuple[str, str]:
    """Return namespace ('' for none) and local name of a tag or attribute in Clark notation."""
    text = tag if isinstance(tag, str) else ""
    if text.startswith("{"):
        namespace, _, name = text[1:].partition("}")
        return namespace, name
    return "", text


def line_of(element: etree._Element) -> int:
    """Return the line of the element, counted from 1."""
    line = element.sourceline
    return line if isinstance(line, int) else 1


def text_of(element: etree._Element) -> str:
    """Return the whole text below the element without surrounding white space."""
    return "".join(str(part) for part in element.itertext()).strip()


class _Seen(Exception):
    """The prolog is over: the way out of expat's callbacks, never leaves this module."""


def refuse_doctype(data: bytes, file: str) -> None:
    """Raise ForbiddenXmlError where ``data``, the beginning of a file or all of it, has a DOCTYPE."""
    # expat stops at the first declaration, before any entity could be expanded.
    parser = expat.ParserCreate()

    def doctype(*_: Any) -> None:
        raise _doctype(file, parser.CurrentLineNumber)

    def element(*_: Any) -> None:
        raise _Seen

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = element
    try:
        parser.Parse(data, True)
    except (_Seen, ExpatError, ValueError, LookupError):
        return  # what is not well-formed is told by lxml, with its line


def _doctype(file: str, line: int) -> ForbiddenXmlError:
    return ForbiddenXmlError(
        "the file has a DOCTYPE; XML is read without document types and entities here",
        file,
        line,
        hint="remove the <!DOCTYPE …> declaration and write entities out",
    )


def _syntax(error: etree.XMLSyntaxError, file: str) -> UnreadableFileError:
    reason = str(error.msg or error).splitlines()[0]
    line = error.lineno or 1
    if "depth" in reason.lower() or "too long" in reason.lower() or "huge" in reason.lower():
        return TooLargeError(f"the file is nested too deep or holds too long a text: {reason}", file, line)
    if reason == "unknown error" or "emory" in reason:
        # libxml2 has no words left when it is out of memory.
        return TooLargeError("the file needs more memory than it may have", file)
    if "ntity" in reason:
        return ForbiddenXmlError(f"entities are not read: {reason}", file, line)
    hint = "open it in the modeler that made it and export it again"
    if "Namespace prefix" in reason:
        hint = "declare the prefix on the root element (xmlns:…), or remove the attribute"
    return NotXmlError(f"not well-formed XML: {reason}", file, line, hint=hint)
