"""A message as a tree for people."""

from collections.abc import Iterable

from rich.markup import escape
from rich.tree import Tree

from adapters.xdomea import circulation, formats
from adapters.xdomea.message import Message, kept_in
from adapters.xdomea.model import BundledDocument, Document, Extension, File, FiledObject, Record, formats_of

_XML_SHOWN = 400
_TITLES = {File: "Akte", Record: "Vorgang", Document: "Dokument", BundledDocument: "Dokument"}


def tree_of(message: Message) -> Tree:
    """Draw ``message`` with everything it says and what was not understood of it."""
    tree = Tree(f"[bold]{escape(message.element)}[/] xdomea {message.version}")
    _line(tree, "ProzessID", message.process_id)
    _line(tree, "Erstellt", message.created)
    _line(tree, "Absender", message.sender.label if message.sender else None)
    _line(tree, "Empfänger", message.recipient.label if message.recipient else None)
    _line(tree, "Hinweis", message.note)
    _extensions(tree, message.extensions)
    for title, items in (
        ("Anschreiben", message.letters),
        ("Hauptobjekt", message.main_documents),
        ("Anlage", message.annexes),
    ):
        for item in items:
            _object(tree.add(title), item)
    for item in message.objects:
        _object(tree, item)
    for title, route in (
        ("Geschäftsgang", message.circulation),
        ("Geänderter Geschäftsgang", message.changed_circulation),
    ):
        if route is not None:
            _route(tree.add(f"[bold]{title}[/] {route.id}"), circulation.as_data(route)["steps"])
    for each in message.appraisals:
        decision = each.decision.code if each.decision else each.own_decision
        _line(tree, "Bewertet", f"{each.object_id}: {decision}")
    for result in message.results:
        outcome = "übernommen" if result.succeeded else f"abgelehnt: {'; '.join(result.errors)}"
        _line(tree, "Ergebnis", f"{result.object_id or 'Nachricht'}: {outcome}")
    for plan in message.filing_plans:
        _line(tree, "Aktenplan", f"{plan.title} {plan.version}")
    kept = list(kept_in(message))
    if kept:
        branch = tree.add(f"[yellow]Nicht verstanden, aufbewahrt ({len(kept)})[/]")
        for path, part in kept:
            shown = part.xml if len(part.xml) <= _XML_SHOWN else f"{part.xml[:_XML_SHOWN]} …"
            branch.add(f"{escape(path or '/')}: {escape(shown)}")
    return tree


def _line(tree: Tree, title: str, value: str | None) -> None:
    if value:
        tree.add(f"[dim]{title}[/] {escape(value)}")


def _object(tree: Tree, item: FiledObject) -> None:
    metadata = item.metadata
    subject = metadata.subject if metadata and metadata.subject else "ohne Betreff"
    branch = tree.add(f"[bold]{_TITLES[type(item)]}[/] {escape(subject)}")
    _line(branch, "Kennzeichen", metadata.reference if metadata else None)
    _line(branch, "ID", item.id)
    _line(branch, "Bemerkung", metadata.note if metadata else None)
    if metadata and metadata.confidentiality:
        _line(branch, "Vertraulichkeit", metadata.confidentiality.name or metadata.confidentiality.code)
    if isinstance(item, Document):
        _document(branch, item)
        return
    if item.begin or item.end:
        _line(branch, "Laufzeit", f"{item.begin or '?'} bis {item.end or 'heute'}")
    if item.disposal and item.disposal.decision:
        _line(branch, "Aussonderungsart", item.disposal.decision.code)
    _extensions(branch, item.extensions)
    children: list[FiledObject] = [*item.documents, *item.records]
    if isinstance(item, File):
        children += item.files
    for child in children:
        _object(branch, child)


def _document(branch: Tree, item: Document) -> None:
    _line(branch, "Fremdes Geschäftszeichen", item.foreign_reference)
    _line(branch, "Datum", item.dated)
    for each in formats_of(item):
        kind = formats.media_type(each.file_name or "")
        original = f" ({each.original_name})" if each.original_name else ""
        _line(branch, "Datei", f"{each.file_name}{original}, {kind}")
    for attachment in item.attachments:
        _object(branch.add("Anlage"), attachment)
    if isinstance(item, BundledDocument):
        for piece in item.pieces:
            _object(branch.add("Schriftstück"), piece)


def _extensions(tree: Tree, extensions: Iterable[Extension]) -> None:
    for each in extensions:
        branch = tree.add(f"[dim]Erweiterung[/] {escape(each.name or '')} {escape(each.key or '')}")
        for custom in each.fields:
            _line(branch, escape(custom.name or ""), custom.value)
        for group in each.groups:
            inner = branch.add(escape(group.name or ""))
            for custom in group.fields:
                _line(inner, escape(custom.name or ""), custom.value)


def _route(tree: Tree, steps: Iterable[dict[str, object]]) -> None:
    words = {"001": "künftig", "002": "aktuell", "003": "erledigt", "004": "übersprungen"}
    for step in steps:
        status = words.get(str(step.get("status")), str(step.get("status")))
        order = f": {step['order']}" if step.get("order") else ""
        due = f" bis {step['due']}" if step.get("due") else ""
        tree.add(escape(f"{step.get('number')}. {step.get('name')} ({status}){order}{due}"))
