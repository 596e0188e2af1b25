"""XML as OSCI uses it: five fixed prefixes, inclusive C14N, and a parser for hostile input."""

import base64
import binascii
import re
from collections.abc import Iterator

from lxml import etree

from adapters.ego_mail.osci.errors import LimitExceededError, MalformedMessageError, SignatureWrappingError

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
OSCI = "http://www.osci.de/2002/04/osci"
DS = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
OSCI_2017 = "http://xoev.de/transport/osci12/7"
OSCI_128 = "http://xoev.de/transport/osci12/8"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
XML = "http://www.w3.org/XML/1998/namespace"

NSMAP = {"ds": DS, "osci": OSCI, "soap": SOAP, "xenc": XENC, "xsi": XSI}
"""The prefixes every block declares, so that a block reads the same wherever it stands."""

ACTOR_NEXT = "http://schemas.xmlsoap.org/soap/actor/next"
ACTOR_NONE = "http://www.w3.org/2001/12/soap-envelope/actor/none"

MAX_XML_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 200
_FORBIDDEN = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)

Element = etree._Element


def q(namespace: str, name: str) -> str:
    """Return the qualified name as lxml writes it."""
    return f"{{{namespace}}}{name}"


def parse(data: bytes, *, limit: int = MAX_XML_BYTES) -> Element:
    """Parse hostile bytes as UTF-8 XML without DOCTYPE, entities and network.

    Raises LimitExceededError over ``limit`` bytes and MalformedMessageError otherwise.
    """
    if len(data) > limit:
        raise LimitExceededError(f"XML part of {len(data):,} bytes, allowed are {limit:,}")
    if _FORBIDDEN.search(data):
        raise MalformedMessageError("a document type declaration is not allowed")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,  # bounded by ``limit``; without DOCTYPE nothing can expand
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MalformedMessageError(f"not well-formed XML: {error}") from error
    _check_depth(root)
    return root


def _check_depth(root: Element) -> None:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > MAX_DEPTH:
            raise MalformedMessageError(f"elements nested deeper than {MAX_DEPTH}")


def canonical(element: Element) -> bytes:
    """Return inclusive C14N 1.0 without comments of ``element`` in its place in the document.

    Raises MalformedMessageError where the element has no such form, e.g. with a relative namespace.
    """
    try:
        return etree.tostring(element, method="c14n", exclusive=False, with_comments=False)
    except etree.C14NError as error:
        raise MalformedMessageError("the XML has no canonical form") from error


def block(namespace: str, name: str, attributes: dict[str, str] | None = None) -> Element:
    """Start a block that declares all five prefixes."""
    extra = {} if namespace in NSMAP.values() else {_prefix(namespace): namespace}
    element = etree.Element(q(namespace, name), nsmap={**NSMAP, **extra})
    for key, value in (attributes or {}).items():
        element.set(key, value)
    return element


def root(namespace: str, name: str, nsmap: dict[str, str]) -> Element:
    """Start a document with just these prefixes."""
    return etree.Element(q(namespace, name), nsmap=nsmap)


def child(parent: Element, namespace: str, name: str, text: str | None = None, **attributes: str) -> Element:
    """Append an element below ``parent``; attributes are unqualified."""
    known = namespace in NSMAP.values() or namespace in parent.nsmap.values()
    nsmap = None if known else {_prefix(namespace): namespace}
    element = etree.SubElement(parent, q(namespace, name), nsmap=nsmap)
    if text is not None:
        element.text = text
    for key, value in attributes.items():
        element.set(key, value)
    return element


def plain_child(parent: Element, name: str) -> Element:
    """Append an element without namespace (the inside of a SOAP fault)."""
    return etree.SubElement(parent, name)


def _prefix(namespace: str) -> str:
    return {OSCI_2017: "osci2017", OSCI_128: "osci128", XENC11: "xenc11", XADES: "xades"}.get(namespace, "x")


def header_block(namespace: str, name: str, identifier: str, actor: str = ACTOR_NEXT) -> Element:
    """Start a SOAP header block with the attributes OSCI asks for."""
    return block(
        namespace,
        name,
        {"Id": identifier, q(SOAP, "actor"): actor, q(SOAP, "mustUnderstand"): "1"},
    )


def children(element: Element) -> Iterator[Element]:
    """Yield element children only."""
    for node in element:
        if isinstance(node.tag, str):
            yield node


def one(parent: Element, namespace: str, name: str) -> Element:
    """Return the single child of that name; raise MalformedMessageError where there is none or more."""
    found = parent.findall(q(namespace, name))
    if len(found) != 1:
        raise MalformedMessageError(f"{local(parent)} needs exactly one {name}, found {len(found)}")
    return found[0]


def maybe(parent: Element, namespace: str, name: str) -> Element | None:
    """Return the child of that name or None; raise MalformedMessageError where there are several."""
    found = parent.findall(q(namespace, name))
    if len(found) > 1:
        raise MalformedMessageError(f"{local(parent)} has {len(found)} {name}, at most one is allowed")
    return found[0] if found else None


def local(element: Element) -> str:
    """Return the element's name without its namespace."""
    return etree.QName(element).localname


def namespace_of(element: Element) -> str | None:
    """Return the element's namespace."""
    return etree.QName(element).namespace


def text_of(element: Element) -> str:
    """Return an element's own text, stripped; raise MalformedMessageError where it has children."""
    if len(element):
        raise MalformedMessageError(f"{local(element)} must hold text only")
    return (element.text or "").strip()


def attribute(element: Element, name: str) -> str:
    """Return a required attribute; raise MalformedMessageError where it is missing."""
    value = element.get(name)
    if value is None:
        raise MalformedMessageError(f"{local(element)} lacks the attribute {name}")
    return value


def check_unique_ids(root: Element) -> None:
    """Raise SignatureWrappingError where an ``Id`` occurs twice below ``root``."""
    seen: set[str] = set()
    for node in root.iter(etree.Element):
        identifier = node.get("Id")
        if identifier is None:
            continue
        if identifier in seen:
            raise SignatureWrappingError(f"the identifier {identifier!r} occurs twice")
        seen.add(identifier)


def encode64(data: bytes) -> str:
    """Return base64 in lines of 76 characters parted by a line feed.

    The line ends matter: a signature over a container counts the text of the signatures inside it, and
    other implementations write those again before they check.
    """
    flat = base64.b64encode(data).decode("ascii")
    lines = [flat[start : start + 76] for start in range(0, len(flat), 76)]
    full = len(flat) > 0 and len(flat) % 76 == 0
    return "\n".join(lines) + ("\n" if full else "")


def decode64(text: str | None) -> bytes:
    """Decode base64 with white space; raise MalformedMessageError where it is none."""
    compact = "".join((text or "").split())
    try:
        return base64.b64decode(compact.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise MalformedMessageError("not base64") from error
