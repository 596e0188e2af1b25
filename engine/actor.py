"""Who acts, for which authority, with which roles."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person may do inside one authority; ``INSTALLATION`` reaches over all own authorities."""

    CLERK = "clerk"
    ANALYST = "analyst"
    ADMIN = "admin"
    AUDITOR = "auditor"
    INSTALLATION = "installation"
    """Runs the installation: sees metadata of all its authorities, never content."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A person acting for one authority; every service call takes one.

    ``units`` are the offices whose cases the person sees; an empty set means all units of the authority.
    """

    person_id: str
    authority_id: str
    roles: frozenset[Role]
    units: frozenset[str] = frozenset()

    def has(self, role: Role) -> bool:
        """Tell whether the actor holds ``role``."""
        return role in self.roles
