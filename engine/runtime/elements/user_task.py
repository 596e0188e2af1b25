"""User, manual and abstract tasks: a clerk does them."""

from engine.runtime.api import ItemKind
from engine.runtime.elements.activity import Activity
from engine.runtime.tokens import Token


class UserTask(Activity):
    """A task that a person completes (BPMN 2.0.2, 10.3.3)."""

    repeats_in_ad_hoc = True

    def perform(self, token: Token) -> None:
        """Open the task."""
        self.wait_as(token, ItemKind.TASK)


class ManualTask(UserTask):
    """A task done outside the system; somebody says when it is done."""


class AbstractTask(UserTask):
    """A task of no particular type: somebody says when it is done."""
