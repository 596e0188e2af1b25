"""Everything of SpiffWorkflow 3.2.0 that is private and replaced or relied upon, and why.

The rest of the runtime subclasses what stands here, and replaces ``TaskSpec._run_hook`` only, the hook that
is meant for it. When SpiffWorkflow is upgraded, this is the module to read; ``tests/runtime/test_spiff.py``
fails when one of these assumptions no longer holds, or when another module replaces a private method. Numbers
are those of github.com/sartography/SpiffWorkflow; where none stands, we know of no issue there.

* ``Task._set_state`` builds a log record with a dozen look-ups per change of state, and asks the wall clock.
  A token changes its state three times a step, so this alone would halve the speed.
* ``Task.run`` sets STARTED after the element has run, which would overwrite what an event has done meanwhile.
* ``Task.__init__`` draws ``uuid4()`` unless it gets an id; ours are numbers counted in the case document, so
  that a replay gives the same ones.
* ``BpmnProcessSpec.__init__`` adds tasks named ``Start`` and ``End``, which collide with elements of these
  names, and an end join that walks the whole tree. Our scopes end when their last token has left.
* ``TaskSpec._predict_hook`` builds the tasks that may come. Ours are made when a token really moves: that
  keeps a step's cost flat, and makes loops and conditional flows mean what they say (#148: looping back makes
  the tree of tasks grow; #424, open: walking over all tasks bogs large workflows down).
* ``TaskSpec._update_hook`` deep-merges the parent's data into a task. Here data travels with the token.
* ``TaskSpec._on_complete_hook`` copies data by the library's own associations and updates the tasks that were
  predicted; here the element says where its token goes. ``TaskSpec._on_error_hook`` tells whoever listens to
  the library's events; here the case turns the failure into an item that holds the branch.
* ``BpmnSubWorkflow._calculate_depth`` and ``BpmnWorkflow.get_task_from_id`` search all sub-workflows, so that
  the n-th instance of a multi-instance costs n (#424).
* ``Workflow._task_completed_notify`` ends a workflow at a task named ``End`` and updates every waiting task.
  Here it splices the finished task out, so that the next step costs what is open and not what is done (#398:
  every waiting task is looked at whenever any task completes).
* ``Workflow.__init__`` with ``deserializing=True`` is the only way to get a workflow without predicted tasks.
* ``BpmnWorkflow`` makes a ``PythonScriptEngine`` (which runs arbitrary code, see docs/decisions/0020) unless
  it is handed another object.
"""

from typing import Any, NoReturn

from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.bpmn.specs.bpmn_task_spec import BpmnTaskSpec
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

__all__ = [
    "NoScripts",
    "SpiffCase",
    "SpiffElement",
    "SpiffScope",
    "SpiffScopeSpec",
    "SpiffToken",
    "TaskState",
]


class SpiffToken(Task):
    """A SpiffWorkflow task that keeps no log and draws no identifier."""

    def _set_state(self, value: int) -> None:
        self._state = value

    def run(self) -> bool | None:
        """Run the element; STARTED from the beginning, because what it does may queue the token again."""
        self._state = TaskState.STARTED
        done: bool | None = self.task_spec._run(self)
        if done:
            self.complete()
        return done


class SpiffScopeSpec(BpmnProcessSpec):
    """A workflow specification without SpiffWorkflow's own start and end tasks."""

    def __init__(self, name: str) -> None:
        """Make an empty specification called ``name``."""
        WorkflowSpec.__init__(self, name=name)
        self.io_specification = None
        self.data_objects: dict[str, Any] = {}
        self.data_stores: dict[str, Any] = {}
        self.correlation_keys: dict[str, Any] = {}
        self.bpmn_start_events: list[Any] = []


class SpiffElement(BpmnTaskSpec):
    """A task specification that predicts nothing and leaves data to its token."""

    def _predict_hook(self, my_task: Task) -> None:
        """Do nothing: children come into being when a token moves."""

    def _update_hook(self, my_task: Task) -> bool:
        """Say that a token that has arrived may run."""
        return True

    def _on_complete_hook(self, my_task: Task) -> None:
        """Leave the element; SpiffWorkflow's data associations are not used."""
        self.leave(my_task)

    def _on_error_hook(self, my_task: Task) -> None:
        """Do nothing: the case turns the failure into an item."""

    def leave(self, token: Any) -> None:
        """Send ``token`` on; elements say how."""
        raise NotImplementedError


class NoScripts:
    """Stands where SpiffWorkflow keeps its script engine, and runs nothing."""

    @property
    def environment(self) -> NoReturn:
        """Refuse: expressions and scripts are compiled by ``engine.expressions``."""
        raise RuntimeError("SpiffWorkflow's script engine is not used")


_NO_SCRIPTS = NoScripts()


class SpiffCase(BpmnWorkflow):
    """The outermost workflow; begins without tasks."""

    def __init__(self, spec: SpiffScopeSpec) -> None:
        """Make a workflow of ``spec`` that holds no task yet."""
        super().__init__(spec, script_engine=_NO_SCRIPTS, deserializing=True)

    def _task_completed_notify(self, task: Task) -> None:
        self.task_left(task)

    def task_left(self, token: Any) -> None:
        """Splice out ``token``, which is finished."""
        raise NotImplementedError


class SpiffScope(BpmnSubWorkflow):
    """A workflow inside another one; begins without tasks."""

    def __init__(self, spec: SpiffScopeSpec, parent_task_id: int, top_workflow: Any, depth: int) -> None:
        """Make the sub-workflow that the task ``parent_task_id`` owns, ``depth`` levels down."""
        self._known_depth = depth
        super().__init__(spec, parent_task_id, top_workflow, deserializing=True)

    def _calculate_depth(self) -> int:
        return self._known_depth

    def _task_completed_notify(self, task: Task) -> None:
        self.top_workflow.task_left(task)
