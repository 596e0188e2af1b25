"""Rules about the file as a whole: references, ids, and whether there is anything to run."""

from collections.abc import Callable, Iterator

from engine.definitions.checker.findings import Category
from engine.definitions.checker.rule import Fault, Rule, Subject, error, warning
from engine.definitions.troubles import TroubleKind

_HINTS = {
    TroubleKind.BROKEN_REFERENCE: "declare what is referred to, or choose an existing one in the modeler",
    TroubleKind.FOREIGN_REFERENCE: "take what is referred to into this file; imports are not read",
    TroubleKind.DUPLICATE_ID: "give one of the two elements another id",
    TroubleKind.CROSSING_FLOW: "end the flow inside the sub-process, or start it at the sub-process itself",
    TroubleKind.DANGLING_FLOW: "connect both ends of the flow, or delete it",
    TroubleKind.UNSUPPORTED_DATA: "write the value as one expression into a plain variable",
    TroubleKind.UNSUPPORTED_EXTENSION: "say it in BPMN or with dw: attributes",
    TroubleKind.UNSUPPORTED_BPMN: "draw it another way",
    TroubleKind.PICTURE: "nothing to do if it only illustrates; else give the association its source",
}


def _trouble(kind: TroubleKind) -> Callable[[Subject], Iterator[Fault]]:
    def look(subject: Subject) -> Iterator[Fault]:
        for trouble in subject.model.troubles:
            if trouble.kind is kind:
                value = f" “{trouble.value}”" if trouble.value else ""
                yield Fault(
                    trouble.line,
                    trouble.element,
                    trouble.name,
                    f"{kind.value}: {trouble.what}{value}: {trouble.detail}",
                    _HINTS[kind],
                )

    return look


def no_process(subject: Subject) -> Iterator[Fault]:
    """A file without a process holds nothing to deploy."""
    if not subject.model.processes:
        yield Fault(
            1,
            None,
            None,
            "the file has no process",
            "draw a process with a start event, or check that the right file was exported",
        )


def not_executable(subject: Subject) -> Iterator[Fault]:
    """BPMN's default is a drawing; only isExecutable="true" says that it is meant to run."""
    if subject.model.processes and not any(process.executable for process in subject.model.processes):
        process = subject.model.processes[0]
        yield Fault(
            process.line,
            process.id,
            process.name,
            "no process of the file is executable: this is a drawing, modelling is incomplete",
            'set isExecutable="true" on the process that shall run, and mend what else is found here',
        )


def drawing_beside(subject: Subject) -> Iterator[Fault]:
    """A pool that is drawn but not executable stays a drawing."""
    if any(process.executable for process in subject.model.processes):
        for process in subject.model.processes:
            if not process.executable and process.scope.nodes:
                yield Fault(
                    process.line,
                    process.id,
                    process.participant or process.name,
                    "this process is not executable: it is kept as a drawing and not checked",
                    'set isExecutable="true" if it shall run here',
                )


def multiple_participant(subject: Subject) -> Iterator[Fault]:
    """A pool with a multiplicity stands for several partners; what runs here runs once a case."""
    ids = {process.id for process in subject.model.processes if process.executable}
    for pool in subject.model.participants:
        if pool.multiplicity and pool.process in ids:
            yield Fault(
                pool.line,
                pool.id,
                pool.name,
                "the pool of an executable process has a multiplicity",
                "remove the multiplicity; a partner that exists several times is a pool without process",
            )


RULES: tuple[Rule, ...] = (
    error("DW105", "Duplicate id", Category.WRONG, _trouble(TroubleKind.DUPLICATE_ID)),
    error(
        "DW106",
        "Reference that leads nowhere",
        Category.WRONG,
        _trouble(TroubleKind.BROKEN_REFERENCE),
    ),
    error(
        "DW107",
        "Reference into another file",
        Category.UNSUPPORTED,
        _trouble(TroubleKind.FOREIGN_REFERENCE),
    ),
    error("DW108", "No process", Category.INCOMPLETE, no_process),
    error("DW109", "No executable process", Category.INCOMPLETE, not_executable),
    warning("DW110", "Process that stays a drawing", Category.INCOMPLETE, drawing_beside),
    error("DW111", "Executable pool with a multiplicity", Category.UNSUPPORTED, multiple_participant),
    error("DW201", "Flow without an end", Category.INCOMPLETE, _trouble(TroubleKind.DANGLING_FLOW)),
    error("DW202", "Flow that crosses scopes", Category.WRONG, _trouble(TroubleKind.CROSSING_FLOW)),
    error("DW601", "Data mapping", Category.UNSUPPORTED, _trouble(TroubleKind.UNSUPPORTED_DATA)),
    warning("DW602", "Data association as a picture", Category.INCOMPLETE, _trouble(TroubleKind.PICTURE)),
    error(
        "DW703",
        "Part of BPMN that would be left out",
        Category.UNSUPPORTED,
        lambda subject: (
            fault
            for kind in (TroubleKind.UNSUPPORTED_EXTENSION, TroubleKind.UNSUPPORTED_BPMN)
            for fault in _trouble(kind)(subject)
        ),
    ),
)
