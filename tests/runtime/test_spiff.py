"""What the runtime assumes of SpiffWorkflow; a new version that breaks one of these is not taken unseen."""

import inspect
import re
from importlib.metadata import version

import pytest
import SpiffWorkflow.task
from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.bpmn.specs.bpmn_task_spec import BpmnTaskSpec
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.specs.base import TaskSpec
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState
from SpiffWorkflow.workflow import Workflow

from engine.definitions.model import NodeKind
from engine.runtime import spiff
from engine.runtime.case import Case
from engine.runtime.elements import TABLE, Element
from engine.runtime.specs import ScopeSpec
from engine.runtime.spiff import NoScripts
from engine.runtime.tokens import InnerScope, Token


def test_the_version_is_the_one_that_was_measured() -> None:
    assert version("SpiffWorkflow") == "3.2.0"


def test_we_subclass_and_replace_only_what_spiff_py_names() -> None:
    assert issubclass(Element, BpmnTaskSpec)
    assert issubclass(ScopeSpec, BpmnProcessSpec)
    assert issubclass(Case, BpmnWorkflow)
    assert issubclass(InnerScope, BpmnSubWorkflow)
    assert issubclass(Token, Task)


def _ours(base: type) -> list[type]:
    """Return all classes of the runtime that stand on ``base``."""
    found, pending = [], [base]
    while pending:
        for one in pending.pop().__subclasses__():
            pending.append(one)
            if one.__module__.startswith("engine."):
                found.append(one)
    return found


@pytest.mark.parametrize("base", [BpmnTaskSpec, BpmnProcessSpec, BpmnSubWorkflow, BpmnWorkflow, Task])
def test_private_methods_of_the_library_are_replaced_in_one_module_only(base: type) -> None:
    private = {name for one in base.__mro__ for name in vars(one) if re.match(r"_[a-z]", name)}
    classes = _ours(base)
    assert classes
    for one in classes:
        replaced = private & vars(one).keys() - {"_run_hook"}  # the one hook that is meant to be replaced
        assert not replaced or one.__module__ == spiff.__name__, (one, replaced)
        for name in replaced - {"__init__"}:
            assert f"{name}``" in (spiff.__doc__ or ""), f"spiff.py does not give the reason for {name}"


def test_the_private_methods_are_still_there() -> None:
    for owner, names in (
        (Task, ("_set_state", "run", "complete", "_child_added_notify")),
        (TaskSpec, ("_run", "_run_hook", "_predict_hook", "_update_hook", "_on_complete", "_on_error_hook")),
        (Workflow, ("_task_completed_notify",)),
        (BpmnSubWorkflow, ("_calculate_depth",)),
        (BpmnWorkflow, ("get_task_from_id",)),
    ):
        for name in names:
            assert callable(getattr(owner, name)), name
    assert "deserializing" in inspect.signature(Workflow.__init__).parameters
    assert "id" in inspect.signature(Task.__init__).parameters
    assert (TaskState.WAITING, TaskState.READY, TaskState.STARTED) == (8, 16, 32)
    assert (TaskState.COMPLETED, TaskState.ERROR, TaskState.CANCELLED) == (64, 128, 256)


def test_completion_goes_through_the_hook_and_the_notification() -> None:
    source = inspect.getsource(TaskSpec._on_complete)
    assert source.index("_on_complete_hook") < source.index("_task_completed_notify")
    assert "_on_complete" in inspect.getsource(SpiffWorkflow.task.Task.complete)


def test_every_kind_of_node_has_a_class_but_the_complex_gateway() -> None:
    assert set(NodeKind) - set(TABLE) == {NodeKind.COMPLEX_GATEWAY}


def test_the_script_engine_of_the_library_is_out_of_reach() -> None:
    with pytest.raises(RuntimeError, match="not used"):
        NoScripts().environment  # noqa: B018
