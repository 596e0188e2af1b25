"""What no table knows is kept in its place."""

from pathlib import Path

import pytest
from lxml import etree

from adapters.xdomea import codec
from adapters.xdomea.errors import NotXmlError, UnknownVersionError
from adapters.xdomea.message import kept_in
from adapters.xdomea.versions import READABLE, Family, family, namespace
from tests.xdomea.conftest import meaning

HEADER = """<x:Kopf><x:ProzessID>6e653b1c-07c2-4b49-9fdc-5741dcacb1a0</x:ProzessID>
<x:Nachrichtentyp><code>0101</code></x:Nachrichtentyp>{more}</x:Kopf>"""


def message(inside: str, version: str = "3.1.0", element: str = "Information.Information.0101") -> str:
    return f'<x:{element} xmlns:x="{namespace(version)}">{inside}</x:{element}>'


def read(xml: str, tmp_path: Path) -> tuple[etree._Element, codec.Message]:
    path = tmp_path / "message.xml"
    path.write_text(xml, encoding="utf-8")
    tree = codec.parse_file(path)
    return tree.getroot(), codec.read_tree(tree)


UNKNOWN = {
    "a new element in the header": HEADER.format(
        more="<x:Neu><x:Tief>1</x:Tief></x:Neu><x:Hinweis>h</x:Hinweis>"
    ),
    "an element of another namespace": "<y:Fremd xmlns:y='urn:y' y:a='1'>text<y:b/></y:Fremd>" + HEADER,
    "text with an attribute": HEADER.format(more="<x:Hinweis lang='de'>h</x:Hinweis>"),
    "a value given twice": HEADER.format(more="<x:Hinweis>eins</x:Hinweis><x:Hinweis>zwei</x:Hinweis>"),
    "a flag that is none": HEADER.format(more="<x:Empfangsbestaetigung>vielleicht</x:Empfangsbestaetigung>"),
    "an empty wrapper": HEADER.format(more="<x:Absender><x:Institution/></x:Absender>"),
    "a wrapper twice": HEADER.format(
        more="<x:Absender><x:Name><x:Titel>1</x:Titel></x:Name><x:Name><x:Titel>2</x:Titel></x:Name></x:Absender>"
    ),
    "a code with more in it": HEADER.format(
        more="<x:Absender><x:Rolle><code>1</code><x/></x:Rolle></x:Absender>"
    ),
    "a code without code": HEADER.format(more="<x:Absender><x:Rolle><name>1</name></x:Rolle></x:Absender>"),
    "another kind of object": "<x:Schriftgutobjekt><x:Band><x:ID>1</x:ID></x:Band></x:Schriftgutobjekt>",
    "an empty choice": "<x:Schriftgutobjekt/>",
    "free XML": HEADER.format(
        more="<x:AnwendungsspezifischeErweiterungXML><a xmlns='urn:a' xmlns:t='urn:t' k='t:v'>m<b/>n</a>"
        "</x:AnwendungsspezifischeErweiterungXML>"
    ),
    "an unknown attribute": "<x:Anschreiben neu='1'><x:Identifikation><x:ID>1</x:ID></x:Identifikation>"
    "</x:Anschreiben>",
}


@pytest.mark.parametrize("inside", UNKNOWN.values(), ids=UNKNOWN.keys())
@pytest.mark.parametrize("version", ["2.4.0", "3.1.0"])
def test_nothing_is_dropped(inside: str, version: str, tmp_path: Path) -> None:
    root, found = read(message(inside, version), tmp_path)
    assert meaning(codec.write_tree(found).getroot()) == meaning(root)


def test_what_is_kept_can_be_shown(tmp_path: Path) -> None:
    _, found = read(message(UNKNOWN["a new element in the header"]), tmp_path)
    ((path, part),) = kept_in(found)
    assert path == "/Kopf"
    assert part.name == "x:Neu"
    assert "<x:Tief>1</x:Tief>" in part.xml
    assert found.note == "h"


def test_an_unknown_message_type_is_kept_as_a_whole(tmp_path: Path) -> None:
    inside = HEADER.format(more="") + "<x:Aktenplan><x:Bezeichnung>b</x:Bezeichnung></x:Aktenplan><x:Mehr/>"
    root, found = read(message(inside, element="Aktenplan.Aktenplan.0301"), tmp_path)
    assert found.kind is None
    assert found.code == "0301"
    assert meaning(codec.write_tree(found).getroot()) == meaning(root)


def test_comments_do_not_cut_a_text(tmp_path: Path) -> None:
    _, found = read(message(HEADER.format(more="<x:Hinweis>ein <!-- kein -->Text</x:Hinweis>")), tmp_path)
    assert found.note == "ein Text"


def test_the_prefix_is_the_one_the_standard_wants(tmp_path: Path) -> None:
    _, found = read(message(HEADER.format(more="")), tmp_path)
    assert b"<xdomea:Kopf>" in codec.write_bytes(found)


@pytest.mark.parametrize(
    "xml",
    [
        "no xml at all",
        "<a><b></a>",
        "",
        "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><a>&e;</a>",
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a [<!ENTITY x '" + "y" * 100 + "'><!ENTITY z '" + "&x;" * 100 + "'>]><a>&z;</a>",
    ],
    ids=["text", "unclosed", "empty", "external", "doctype", "expansion"],
)
def test_bad_xml_is_refused(xml: str, tmp_path: Path) -> None:
    with pytest.raises(NotXmlError):
        read(xml, tmp_path)


@pytest.mark.parametrize("uri", ["urn:xoev-de:xdomea:schema:1.0.0", "urn:other", ""])
def test_other_namespaces_are_refused(uri: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownVersionError, match=r"3\.1\.0"):
        read(f'<a xmlns="{uri}"/>', tmp_path)


def test_deep_nesting_is_refused_rather_than_overflowing(tmp_path: Path) -> None:
    depth = 300
    with pytest.raises(NotXmlError):
        read(message("<x:Teilakte>" * depth + "</x:Teilakte>" * depth), tmp_path)


def test_every_readable_version_has_a_family() -> None:
    assert {family(version) for version in READABLE} == set(Family)
