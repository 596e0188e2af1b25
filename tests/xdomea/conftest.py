"""The standard's schemas and samples, where they are at hand, and helpers of our own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from adapters.xdomea import create
from adapters.xdomea.payload import XdomeaPayload
from adapters.xdomea.schemas import Schemas
from engine.exchange.ports import Mailbox, MessageType
from tests.contracts.samples import HOMBURG, REQUEST, context, mailbox

STANDARD = Path(__file__).parents[2] / ".." / "shared" / "standards" / "xdomea"
SCHEMAS = STANDARD / "xsd"
SAMPLES = sorted(STANDARD.glob("beispiele/**/*.xml")) + sorted(STANDARD.glob("beispiele/**/*.zip"))

needs_schemas = pytest.mark.skipif(not SCHEMAS.is_dir(), reason="the official xdomea schemas are not at hand")
needs_samples = pytest.mark.skipif(not SAMPLES, reason="the samples of others are not at hand")


@pytest.fixture(scope="session")
def schemas() -> Schemas:
    if not SCHEMAS.is_dir():
        pytest.skip("the official xdomea schemas are not at hand")
    return Schemas(SCHEMAS)


@pytest.fixture
def payload(tmp_path: Path) -> XdomeaPayload:
    """Make the payload, with the official schemas where they are at hand."""
    return create(context(tmp_path / "home", {"schemas": str(SCHEMAS)} if SCHEMAS.is_dir() else {}))


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[], Path]:
    numbers: Iterator[int] = iter(range(1000))

    def new() -> Path:
        made = tmp_path / f"folder-{next(numbers)}"
        made.mkdir()
        return made

    return new


def box(version: str) -> Mailbox:
    return mailbox(HOMBURG, "xdomea+folder", "share", versions=[version])


def message_type(mapping: dict[str, Any], key: str = "ersuchen") -> MessageType:
    return MessageType(
        key=key, version="1", title=REQUEST.title, schema={"type": "object"}, mappings={"xdomea": mapping}
    )


def meaning(element: etree._Element) -> Any:
    """Return what an element says: names, attributes, texts, children in order; not how it is laid out."""
    text = (element.text or "") if not len(element) else ""
    text = {"true": "1", "false": "0"}.get(text, text)
    return element.tag, sorted(element.attrib.items()), text, [meaning(child) for child in element]
