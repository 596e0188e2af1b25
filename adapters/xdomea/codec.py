"""Turns XML into the model and the model into XML, by the tables of ``layout``.

Nothing is dropped: an element that no table knows, or that does not hold what its row says, is kept as it
came, with its place, and written there again. Comments and processing instructions are no content.
"""

from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from lxml import etree

from adapters.xdomea.errors import NotXmlError, UnknownVersionError
from adapters.xdomea.layout import TABLES, Inside, Kind, Layout, Row, layout_of
from adapters.xdomea.message import Message
from adapters.xdomea.nodes import Code, Kept, Node
from adapters.xdomea.versions import READABLE, Family, family, namespace, version_of

PREFIX = "xdomea"
"""The standard wants this very prefix."""
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_FLAGS = {"1": True, "true": True, "0": False, "false": False}
N = TypeVar("N", bound=Node)


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def parse_file(path: Path, name: str | None = None) -> etree._ElementTree:
    """Parse the XML at ``path``; raise NotXmlError where it is none, or has a DOCTYPE."""
    where = name or path.name
    try:
        tree = etree.parse(str(path), _parser())
    except etree.XMLSyntaxError as error:
        raise NotXmlError(f"not well-formed XML: {error.msg}", where=where) from error
    if tree.docinfo.internalDTD is not None or tree.docinfo.doctype:
        raise NotXmlError("a DOCTYPE is refused in messages from outside", where=where)
    return tree


def read_tree(tree: etree._ElementTree, where: str = "message") -> Message:
    """Read a parsed message; raise UnknownVersionError where it is no xdomea message of a version we read."""
    root = tree.getroot()
    qualified = etree.QName(root)
    version = version_of(qualified.namespace or "")
    if version is None:
        raise UnknownVersionError(
            f"the message is in namespace {qualified.namespace or '(none)'}",
            where=where,
            hint=f"readable are xdomea {', '.join(READABLE)}",
        )
    reader = _Reader(version)
    values = reader.values(Message, root)
    return Message(version=version, element=qualified.localname, **values)


def read_file(path: Path) -> Message:
    """Read the message at ``path``."""
    return read_tree(parse_file(path), path.name)


def write_tree(message: Message) -> etree._ElementTree:
    """Write ``message`` in its own version."""
    writer = _Writer(message.version)
    nsmap = {PREFIX: writer.space}
    if any(name.startswith(f"{{{XSI}}}") for name in message.attributes):
        nsmap["xsi"] = XSI
    root = etree.Element(f"{{{writer.space}}}{message.element}", nsmap=nsmap)
    writer.fill(root, message)
    etree.cleanup_namespaces(root, keep_ns_prefixes=[PREFIX])
    return etree.ElementTree(root)


def serialised(tree: etree._ElementTree) -> bytes:
    """Return a written message as UTF-8 with XML declaration."""
    return etree.tostring(tree, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def write_bytes(message: Message) -> bytes:
    """Write ``message`` in its own version, as UTF-8 with XML declaration."""
    return serialised(write_tree(message))


_LAYOUTS = {(cls, of): layout_of(table, of) for cls, table in TABLES.items() for of in Family}


@cache
def _inner(wrapper: Inside, of: Family) -> Layout:
    return layout_of(wrapper.items, of)


class _Reader:
    """Reads one message."""

    def __init__(self, version: str) -> None:
        self._family = family(version)
        self._space = namespace(version)

    def node(self, cls: type[N], element: etree._Element) -> N:
        return cls(**self.values(cls, element))

    def values(self, cls: type[Node], element: etree._Element) -> dict[str, Any]:
        values: dict[str, Any] = {}
        kept: list[Kept] = []
        self._children(_LAYOUTS[cls, self._family], element, values, kept, "")
        attributes = {str(name): str(value) for name, value in element.attrib.items()}
        return values | {"attributes": attributes, "kept": kept}

    def _children(
        self, layout: Layout, element: etree._Element, values: dict[str, Any], kept: list[Kept], within: str
    ) -> None:
        wrappers: set[str] = set()
        for index, child in enumerate(element):
            name = self._name(child)
            item = layout.by_name.get(name)
            if isinstance(item, Inside):
                understood = len(child) > 0 and not child.attrib and name not in wrappers
                if understood:
                    wrappers.add(name)
                    deeper = f"{within}/{name}" if within else name
                    self._children(_inner(item, self._family), child, values, kept, deeper)
            else:
                understood = item is not None and self._take(item, child, values)
            if not understood:
                xml = etree.tostring(child, encoding="unicode", with_tail=False)
                empty = not (len(child) or child.attrib or (child.text or "").strip())
                kept.append(Kept(within, index, xml, empty))

    def _name(self, element: etree._Element) -> str:
        qualified = etree.QName(element)
        if qualified.namespace == self._space:
            return qualified.localname
        return f"{{}}{qualified.localname}" if qualified.namespace is None else qualified.text

    def _take(self, row: Row, element: etree._Element, values: dict[str, Any]) -> bool:
        if not row.many and row.attribute in values:
            return False
        value = self._value(row, element)
        if value is None:
            return False
        if row.many:
            values.setdefault(row.attribute, []).append(value)
        else:
            values[row.attribute] = value
        return True

    def _value(self, row: Row, element: etree._Element) -> Any:
        """Return what the element holds, or None where it does not hold what the row says."""
        if row.kind is Kind.PART:
            assert row.part is not None
            return self.node(row.part, element)
        if row.kind is Kind.CHOICE:
            return self._chosen(row, element)
        if row.kind is Kind.CODE:
            return _code(element)
        if len(element) or element.attrib:
            return None
        content = element.text or ""
        return content if row.kind is Kind.TEXT else _FLAGS.get(content.strip())

    def _chosen(self, row: Row, element: etree._Element) -> Node | None:
        children = list(element)
        if not children or element.attrib or len(children) > 2:
            return None
        cls = row.choices.get(self._name(children[0]))
        if cls is None:
            return None
        if len(children) == 2 and self._name(children[1]) != row.beside:
            return None
        node = self.node(cls, children[0])
        if len(children) == 2:
            node.attachment_number = children[1].text or ""  # type: ignore[attr-defined]
        return node


def _code(element: etree._Element) -> Code | None:
    found: dict[str, str | None] = {}
    for child in element:
        name = etree.QName(child).text
        if name not in ("code", "name") or name in found or len(child) or child.attrib:
            return None
        found[name] = child.text or ""
    if "code" not in found or set(element.attrib) - {"listURI", "listVersionID"}:
        return None
    return Code(found["code"] or "", found.get("name"), element.get("listURI"), element.get("listVersionID"))


class _Writer:
    """Writes one message."""

    def __init__(self, version: str) -> None:
        self._family = family(version)
        self.space = namespace(version)

    def fill(self, element: etree._Element, node: Node) -> None:
        for name, value in node.attributes.items():
            element.set(name, value)
        self._items(_LAYOUTS[type(node), self._family], element, node, "")

    def _items(self, layout: Layout, element: etree._Element, node: Node, within: str) -> None:
        for name, item in layout.items:
            if isinstance(item, Inside):
                wrapper = etree.Element(self._tag(name))
                deeper = f"{within}/{name}" if within else name
                self._items(_inner(item, self._family), wrapper, node, deeper)
                if len(wrapper):
                    element.append(wrapper)
            else:
                self._row(name, item, element, node)
        for part in sorted(
            (part for part in node.kept if part.within == within), key=lambda part: part.index
        ):
            element.insert(part.index, etree.fromstring(part.xml, _parser()))

    def _tag(self, name: str) -> str:
        if name.startswith("{}"):
            return name[2:]
        return f"{{{self.space}}}{name}"

    def _row(self, name: str, row: Row, element: etree._Element, node: Node) -> None:
        value = getattr(node, row.attribute)
        for single in value if row.many else [value]:
            if single is not None:
                self._element(etree.SubElement(element, self._tag(name)), row, single)

    def _element(self, element: etree._Element, row: Row, value: Any) -> None:
        if row.kind is Kind.PART:
            self.fill(element, value)
        elif row.kind is Kind.CHOICE:
            name = next(name for name, cls in row.choices.items() if type(value) is cls)
            self.fill(etree.SubElement(element, self._tag(name)), value)
            if row.beside and value.attachment_number is not None:
                etree.SubElement(element, self._tag(row.beside)).text = value.attachment_number
        elif row.kind is Kind.CODE:
            _write_code(element, value)
        else:
            element.text = value if row.kind is Kind.TEXT else ("1" if value else "0")


def _write_code(element: etree._Element, value: Code) -> None:
    if value.list_uri is not None:
        element.set("listURI", value.list_uri)
    if value.list_version is not None:
        element.set("listVersionID", value.list_version)
    etree.SubElement(element, "code").text = value.code
    if value.name is not None:
        etree.SubElement(element, "name").text = value.name
