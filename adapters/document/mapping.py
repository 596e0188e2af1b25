"""What a message type says about its document: ``mappings: {document: {…}}``."""

from dataclasses import dataclass

from adapters.document.errors import DocumentMappingError
from engine.exchange.ports import MessageType


@dataclass(frozen=True, slots=True)
class DocumentMapping:
    """How one message type travels as a document."""

    route: str | None = None
    """Name of the route among the data, where the message goes through several authorities."""


def mapping_of(message_type: MessageType) -> DocumentMapping:
    """Return the mapping of ``message_type``; a route that is named for xdomea need not be named again.

    Raises DocumentMappingError that names the key.
    """
    values = dict(message_type.mappings.get("document", {}))
    route = values.pop("route", message_type.mappings.get("xdomea", {}).get("route"))
    if values or not (route is None or isinstance(route, str)):
        raise DocumentMappingError(
            f"mappings.document is not understood: {message_type.mappings.get('document')!r}",
            where=f"message type {message_type.key} {message_type.version}",
            hint="route: name of the route among the data",
        )
    return DocumentMapping(route)
