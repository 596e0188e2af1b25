"""The elements: one small module each, and the one table of them."""

from collections.abc import Mapping

from engine.definitions.model import Node, NodeKind
from engine.runtime.elements.ad_hoc_sub_process import AdHocSubProcess
from engine.runtime.elements.base import Element
from engine.runtime.elements.boundary_event import BoundaryEvent
from engine.runtime.elements.business_rule_task import BusinessRuleTask
from engine.runtime.elements.call_activity import CallActivity
from engine.runtime.elements.end_event import EndEvent
from engine.runtime.elements.event_based_gateway import EventBasedGateway
from engine.runtime.elements.event_sub_process import EventSubProcess
from engine.runtime.elements.exclusive_gateway import ExclusiveGateway
from engine.runtime.elements.inclusive_gateway import InclusiveGateway
from engine.runtime.elements.intermediate_catch_event import IntermediateCatchEvent
from engine.runtime.elements.intermediate_throw_event import IntermediateThrowEvent
from engine.runtime.elements.parallel_gateway import ParallelGateway
from engine.runtime.elements.receive_task import ReceiveTask
from engine.runtime.elements.script_task import ScriptTask
from engine.runtime.elements.send_task import SendTask
from engine.runtime.elements.service_task import ServiceTask
from engine.runtime.elements.start_event import StartEvent
from engine.runtime.elements.sub_process import SubProcess
from engine.runtime.elements.transaction import Transaction
from engine.runtime.elements.user_task import AbstractTask, ManualTask, UserTask

TABLE: Mapping[NodeKind, type[Element]] = {
    NodeKind.TASK: AbstractTask,
    NodeKind.USER_TASK: UserTask,
    NodeKind.MANUAL_TASK: ManualTask,
    NodeKind.SERVICE_TASK: ServiceTask,
    NodeKind.SEND_TASK: SendTask,
    NodeKind.RECEIVE_TASK: ReceiveTask,
    NodeKind.SCRIPT_TASK: ScriptTask,
    NodeKind.BUSINESS_RULE_TASK: BusinessRuleTask,
    NodeKind.CALL_ACTIVITY: CallActivity,
    NodeKind.SUB_PROCESS: SubProcess,
    NodeKind.TRANSACTION: Transaction,
    NodeKind.AD_HOC_SUB_PROCESS: AdHocSubProcess,
    NodeKind.START_EVENT: StartEvent,
    NodeKind.END_EVENT: EndEvent,
    NodeKind.INTERMEDIATE_CATCH_EVENT: IntermediateCatchEvent,
    NodeKind.INTERMEDIATE_THROW_EVENT: IntermediateThrowEvent,
    NodeKind.BOUNDARY_EVENT: BoundaryEvent,
    NodeKind.EXCLUSIVE_GATEWAY: ExclusiveGateway,
    NodeKind.INCLUSIVE_GATEWAY: InclusiveGateway,
    NodeKind.PARALLEL_GATEWAY: ParallelGateway,
    NodeKind.EVENT_BASED_GATEWAY: EventBasedGateway,
}
"""What runs each kind of flow node. A kind that is missing here is refused when a program is made."""


def element_class(node: Node) -> type[Element] | None:
    """Return the class that runs ``node``; None where there is none."""
    if node.triggered_by_event and node.kind.has_scope:
        return EventSubProcess
    return TABLE.get(node.kind)


__all__ = ["TABLE", "Element", "element_class"]
