"""Timer starts in scenarios: switched on for a side, one case each time."""

from datetime import datetime

from engine.errors import RefusedError
from engine.service import cases
from engine.service.schedules import managing
from engine.service.schedules.managing import ScheduleLine
from engine.service.schedules.rounds import ON
from engine.service.schedules.starts import newest_starts
from engine.service.starting import latest_processes
from engine.service.trial import Side
from engine.service.troubles import list_incidents


class TimerStartFailedError(RefusedError):
    """A timer start does not begin the case that a scenario tells of."""


class ScheduledStart:
    """A timer start of a procedure on one side; the first use switches it on, its time counts from then."""

    def __init__(self, side: Side, procedure: str, process: str, name: str) -> None:
        """Find the process's start event by name or id; raise TimerStartFailedError where it has none."""
        self._side, self._procedure, self._process, self._name = side, procedure, process, name
        self._element = self._find()
        if not self._lines():
            managing.switch_on(side.app, side.actor, procedure, start=self._element)
        self._begun = self._count()

    def next_due(self) -> datetime:
        """Return when it begins its next case (UTC); raise TimerStartFailedError where it begins no more."""
        due = [line.due_at for line in self._lines() if line.due_at is not None and line.state == ON]
        if not due:
            raise TimerStartFailedError(
                f"the timer start {self._name!r} has begun its last case", hint=f"cases so far: {self._begun}"
            )
        return min(due)

    def begun_case(self) -> str:
        """Return the case it has begun at that instant; raise TimerStartFailedError where there is none."""
        app, actor = self._side.app, self._side.actor
        if self._count() == self._begun:
            ids = {line.id for line in self._lines()}
            told = [i.message for i in list_incidents(app, actor) if i.subject_id in ids]
            raise TimerStartFailedError(
                f"the timer start {self._name!r} begins no case: {'; '.join(told) or 'nothing is due'}"
            )
        for line in cases.list_cases(app, actor, procedure=self._procedure, limit=1000):
            first = cases.show_case(app, actor, line.id).path[0]
            if first["command"].get("start_event") == self._element:
                return line.id
        raise TimerStartFailedError(f"the case that {self._name!r} has begun is not there any more")

    def _find(self) -> str:
        app = self._side.app
        with app.read() as tx:
            starts = newest_starts(app, tx, self._procedure)
            nodes = app.programs.nodes(tx, latest_processes(tx, self._procedure)[0]["version_id"])
        own = [start.element_id for start in starts if start.process_id == self._process]
        names = {element: nodes[element].name or element for element in own}
        found = [element for element, name in names.items() if self._name in (element, name)]
        if len(found) != 1:
            known = ", ".join(f"{name} ({element})" for element, name in names.items())
            raise TimerStartFailedError(
                f"{self._process} has {'more than one' if found else 'no'} timer start {self._name!r}",
                hint=f"it has: {known or 'none'}",
            )
        return found[0]

    def _lines(self) -> list[ScheduleLine]:
        found = managing.list_schedules(self._side.app, self._side.actor)
        return [line for line in found if line.element_id == self._element]

    def _count(self) -> int:
        return sum(line.begun for line in self._lines())
