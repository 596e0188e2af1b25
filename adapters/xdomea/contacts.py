"""People and authorities as xdomea describes them."""

from dataclasses import dataclass, field

from adapters.xdomea.nodes import Code, Node


@dataclass(slots=True, kw_only=True)
class Address(Node):
    """A structured address."""

    country: Code | None = None
    street: str | None = None
    house_number: str | None = None
    post_box: str | None = None
    post_code: str | None = None
    place: str | None = None
    addition: str | None = None
    kind: Code | None = None


@dataclass(slots=True, kw_only=True)
class Reachability(Node):
    """A telephone number, a mail address …"""

    official: bool | None = None
    channel: Code | None = None
    value: str | None = None
    addition: str | None = None
    of_institution: bool | None = None


@dataclass(slots=True, kw_only=True)
class AddressLines(Node):
    """An address in lines."""

    kind: Code | None = None
    line1: str | None = None
    line2: str | None = None
    line3: str | None = None
    line4: str | None = None
    line5: str | None = None
    line6: str | None = None
    addition: str | None = None


@dataclass(slots=True, kw_only=True)
class Contact(Node):
    """An authority, a unit in it, a person, or all three."""

    authority_key: Code | None = None
    authority_prefix: Code | None = None
    directory: Code | None = None
    directory_key: str | None = None
    institution: str | None = None
    institution_short: str | None = None
    unit: str | None = None
    salutation: str | None = None
    title: str | None = None
    family_name: str | None = None
    given_name: str | None = None
    occupation: str | None = None
    responsibility: str | None = None
    addresses: list[Address] = field(default_factory=list)
    reachable: list[Reachability] = field(default_factory=list)
    role: Code | None = None
    role_text: str | None = None
    address_lines: list[AddressLines] = field(default_factory=list)
    born: str | None = None

    @property
    def person(self) -> str:
        """The person's name in one line; empty where there is none."""
        return " ".join(part for part in (self.title, self.given_name, self.family_name) if part)

    @property
    def label(self) -> str:
        """Everything that names the contact, in one line."""
        return ", ".join(part for part in (self.institution, self.unit, self.person) if part)
