"""Service tasks: work done outside the case, by a job."""

from engine.runtime.api import ItemKind
from engine.runtime.elements.activity import Activity
from engine.runtime.tokens import Token


class ServiceTask(Activity):
    """A task that a service completes or fails."""

    def perform(self, token: Token) -> None:
        """Open the work."""
        self.wait_as(token, ItemKind.WORK)
