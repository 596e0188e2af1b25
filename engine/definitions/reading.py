"""What one reading of a file keeps at hand: root-level elements, ids, and what could not be resolved."""

from dataclasses import dataclass, field

from lxml import etree

from engine.definitions.model import Expression
from engine.definitions.troubles import Extension, Trouble, TroubleKind
from engine.definitions.xml import BPMN, clark, line_of, split, text_of


@dataclass(slots=True)
class Reading:
    """The state of one reading. Made by ``reader.read_model``, filled by the modules beside it."""

    file: str
    root: etree._Element
    target_namespace: str | None
    language: str | None
    by_id: dict[str, etree._Element] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    unread: list[Extension] = field(default_factory=list)
    handlers: dict[str, str] = field(default_factory=dict)
    """Compensation boundary id → handler id, from associations anywhere in the file."""
    data_names: dict[str, str] = field(default_factory=dict)
    """Data object id → name of the first reference to it: modelers name the symbol, not the object."""
    made_up: set[str] = field(default_factory=set)
    node_ids: dict[etree._Element, str] = field(default_factory=dict)

    def index(self) -> None:
        """Learn every id of a BPMN element; the second element with an id is a trouble."""
        for element in self.root.iter(f"{{{BPMN}}}*"):
            element_id = element.get("id")
            if not element_id:
                continue
            if element_id in self.by_id:
                first = line_of(self.by_id[element_id])
                self.trouble(
                    TroubleKind.DUPLICATE_ID,
                    element,
                    "id",
                    element_id,
                    f"the id stands on line {first} already",
                )
            else:
                self.by_id[element_id] = element
        for reference in self.root.iter(clark(BPMN, "dataObjectReference")):
            target, name = reference.get("dataObjectRef"), reference.get("name")
            if target and name:
                self.data_names.setdefault(self.local_name(reference, target), name)

    def trouble(
        self, kind: TroubleKind, element: etree._Element, what: str, value: str = "", detail: str = ""
    ) -> None:
        """Keep a trouble at ``element`` for the checker."""
        owner = nearest_with_id(element)
        self.troubles.append(
            Trouble(
                kind=kind,
                line=line_of(element),
                element=None if owner is None else owner.get("id"),
                name=None if owner is None else owner.get("name"),
                what=what,
                value=value,
                detail=detail,
            )
        )

    def resolve(
        self, element: etree._Element, attribute: str, tag: str, value: str | None = None
    ) -> etree._Element | None:
        """Return the element with local name ``tag`` that the QName in ``attribute`` means, or None.

        Returns None without a trouble where the attribute is missing, with one where it leads nowhere.
        """
        raw = element.get(attribute) if value is None else value
        if raw is None or not raw.strip():
            return None
        raw = raw.strip()
        prefix, _, local = raw.rpartition(":")
        namespace = element.nsmap.get(prefix) if prefix else None
        if namespace is not None and namespace not in (self.target_namespace, BPMN):
            self.trouble(
                TroubleKind.FOREIGN_REFERENCE, element, attribute, raw, "it leads into another namespace"
            )
            return None
        found = self.by_id.get(local)
        if found is None or split(found.tag) != (BPMN, tag):
            what = "no such element in the file" if found is None else f"that is a {split(found.tag)[1]}"
            self.trouble(TroubleKind.BROKEN_REFERENCE, element, attribute, raw, f"{tag} expected; {what}")
            return None
        return found

    def local_name(self, element: etree._Element, value: str) -> str:
        """Return a reference's local part: ``tns:x`` becomes ``x`` where ``tns`` is a known prefix."""
        prefix, _, local = value.strip().rpartition(":")
        return local if prefix and prefix in element.nsmap else value.strip()

    def expression(self, element: etree._Element | None) -> Expression | None:
        """Return the expression an element holds; None where it is missing or empty."""
        if element is None:
            return None
        text = text_of(element)
        if not text:
            return None
        language = element.get("language") or self.language
        return Expression(text=text, line=line_of(element), language=language)

    def written(self, text: str | None, element: etree._Element) -> Expression | None:
        """Return an expression that an attribute holds; vendors' attributes ignore the declared language."""
        if text is None or not text.strip():
            return None
        return Expression(text=text.strip(), line=line_of(element))

    def make_id(self, wanted: str) -> str:
        """Return an id that no element of the file has; the same for the same file every time."""
        candidate, count = wanted, 1
        while candidate in self.by_id or candidate in self.made_up:
            count += 1
            candidate = f"{wanted}_{count}"
        self.made_up.add(candidate)
        return candidate


def child(element: etree._Element, name: str) -> etree._Element | None:
    """Return the first BPMN child with local ``name``."""
    return element.find(clark(BPMN, name))


def children(element: etree._Element, name: str) -> list[etree._Element]:
    """Return the BPMN children with local ``name`` in document order."""
    return element.findall(clark(BPMN, name))


def nearest_with_id(element: etree._Element) -> etree._Element | None:
    """Return the element itself or its nearest ancestor that has an id."""
    current: etree._Element | None = element
    while current is not None and not current.get("id"):
        current = current.getparent()
    return current


def truth(value: str | None, default: bool) -> bool:
    """Return an ``xsd:boolean`` as Python has it."""
    return default if value is None else value.strip() in ("true", "1")


def documentation_of(element: etree._Element) -> str | None:
    """Return the element's documentation texts joined by blank lines."""
    texts = [text for text in (text_of(item) for item in children(element, "documentation")) if text]
    return "\n\n".join(texts) or None
