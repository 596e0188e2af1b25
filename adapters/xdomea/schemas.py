"""Validation against the official schemas, which an installation keeps in a folder of its own.

The folder has one sub-folder a version, named after it (``3.1.0``, or ``4.0.0-aussonderung`` for a part of
one), as the publisher packs them.
"""

from pathlib import Path
from threading import Lock
from typing import Any

from lxml import etree

from adapters.xdomea.errors import SchemaError, SchemaFolderError
from adapters.xdomea.versions import KINDS, MessageKind

_GROUP_FILES = {
    "Information": "InformationAustauschen",
    "Geschaeftsgang": "GeschaeftsgangDurchfuehren",
    "Abgabe": "AbgabeDurchfuehren",
    "Aussonderung": "AussonderungDurchfuehren",
}
_SHOWN = 5


class Schemas:
    """The official schemas under one folder, loaded when first needed."""

    def __init__(self, folder: Path) -> None:
        """Use the schemas under ``folder``; raise SchemaFolderError where there is no such folder."""
        if not folder.is_dir():
            raise SchemaFolderError(
                "no folder with xdomea schemas",
                where=str(folder),
                hint="set DIENSTWEG_XDOMEA_SCHEMAS to the folder with the unpacked schemas, or leave it out",
            )
        self._folder = folder
        self._lock = Lock()
        self._loaded: dict[Path, etree.XMLSchema] = {}

    def knows(self, version: str, code: str) -> bool:
        """Tell whether there is a schema for messages of type ``code`` in ``version``."""
        return self._path(version, code) is not None

    def check(self, tree: etree._ElementTree, version: str, code: str, where: str) -> bool:
        """Validate a message; return False where no schema is for it, raise SchemaError where it fails."""
        path = self._path(version, code)
        if path is None:
            return False
        # A loaded schema keeps the faults of its last validation, whichever thread that was.
        with self._lock:
            schema = self._schema(path)
            valid = schema.validate(tree)
            log: Any = schema.error_log
            faults = [f"line {entry.line}: {entry.message}" for entry in log]
        if not valid:
            more = f" … and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
            raise SchemaError(f"breaks xdomea {version}: {'; '.join(faults[:_SHOWN])}{more}", where=where)
        return True

    def _path(self, version: str, code: str) -> Path | None:
        kind: MessageKind | None = KINDS.get(code)
        if kind is None:
            return None
        name = f"xdomea-Nachrichten-{_GROUP_FILES[kind.group]}.xsd"
        found = sorted(
            folder / name for folder in self._folder.glob(f"{version}*") if (folder / name).is_file()
        )
        return found[0] if found else None

    def _schema(self, path: Path) -> etree.XMLSchema:
        if path not in self._loaded:
            parser = etree.XMLParser(no_network=True, resolve_entities=False)
            parser.resolvers.add(_LocalResolver(path.parent))
            try:
                self._loaded[path] = etree.XMLSchema(etree.parse(str(path), parser))
            except (etree.XMLSchemaParseError, etree.XMLSyntaxError) as error:
                raise SchemaFolderError(f"the schema cannot be read: {error}", where=str(path)) from error
        return self._loaded[path]


class _LocalResolver(etree.Resolver):
    """Finds schemas that are named by a web address beside the one that names them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def resolve(self, system_url: str, public_id: str, context: Any) -> Any:  # type: ignore[override]
        """Return the local file for a web address; leave other names to libxml2."""
        if "://" not in system_url or system_url.startswith("file:"):
            return None
        local = self._folder / system_url.rpartition("/")[2]
        return self.resolve_filename(str(local), context)  # type: ignore[attr-defined]
