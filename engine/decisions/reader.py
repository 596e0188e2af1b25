"""Reads a DMN file into decisions: requirements resolved, every expression compiled, or refused."""

from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from engine.decisions.decisions import Decision, Decisions, InputData, Knowledge
from engine.decisions.errors import DecisionFileError
from engine.decisions.logic import BOXED, Reader, Scope, boxed_function
from engine.decisions.run import Logic, Names, Run
from engine.decisions.source import Source
from engine.decisions.types import Type, Types
from engine.definitions.xml import line_of, split
from engine.expressions.values import Value

CHAIN = 40
"""Decisions that may require each other in a row."""
_PASSED = frozenset(
    {
        "itemDefinition", "inputData", "decision", "businessKnowledgeModel", "decisionService",
        "knowledgeSource", "organizationUnit", "performanceIndicator", "textAnnotation", "association",
        "group", "elementCollection", "artifact",
    }
)  # fmt: skip
"""Elements of a file that are read or that only document."""
_REQUIREMENTS = ("informationRequirement", "knowledgeRequirement", "authorityRequirement")
_DOCUMENTING = (
    "supportedObjective", "impactedPerformanceIndicator", "decisionMaker", "decisionOwner",
    "usingProcess", "usingTask",
)  # fmt: skip


def read_decisions(data: bytes, file: str) -> Decisions:
    """Read a DMN 1.1 to 1.5 file.

    Args:
        data: The file's bytes.
        file: Its name, for errors.

    Raises:
        UnreadableFileError: it is no XML, no DMN, or something in it is not supported (DecisionFileError);
            ``file`` and ``line`` say where.
    """
    return FileReader(Source(data, file)).read()


@dataclass(frozen=True, slots=True)
class Required:
    """What an element requires, by id."""

    inputs: tuple[str, ...]
    decisions: tuple[str, ...]
    knowledge: tuple[str, ...]


class FileReader:
    """Reads one file."""

    def __init__(self, source: Source) -> None:
        """Read the types and find the elements; nothing is compiled yet."""
        self.source = source
        self.elements: dict[str, etree._Element] = {}
        self._services: dict[str, Decisions] = {}
        # filled once everything is read: services evaluate decisions of the whole file
        for name, element in source.children(source.root):
            if name == "import":
                raise source.fault("imports are not supported", element, "put everything into one file")
            if name not in _PASSED:
                raise source.fault(f'"{name}" is not supported', element)
            self._register(element)
        self.types = Types(source)
        self.reader = Reader(source, self.types, self._words())
        self.inputs = {
            key: InputData(key, self._variable(element), self._type(element))
            for key, element in self._all("inputData")
        }

    def _register(self, element: etree._Element) -> None:
        if split(element.tag)[1] == "itemDefinition":
            return
        key = element.get("id") or f"{split(element.tag)[1]} {element.get('name')}"
        if key in self.elements:
            raise self.source.fault(f'the id "{key}" stands there twice', element)
        self.elements[key] = element

    def _all(self, kind: str) -> list[tuple[str, etree._Element]]:
        return [(key, element) for key, element in self.elements.items() if split(element.tag)[1] == kind]

    def _words(self) -> frozenset[str]:
        """Return the names of keys, so that those with symbols and key words are read as one."""
        found = set(self.types.words)
        for tag in ("output", "contextEntry", "column"):
            for element in self.source.root.iter(f"{{{self.source.namespace}}}{tag}"):
                named = self.source.child(element, "variable") if tag == "contextEntry" else element
                name = " ".join((named.get("name") or "").split()) if named is not None else ""
                found |= {name} - {""}
        return frozenset(found)

    def _variable(self, element: etree._Element) -> str:
        variable = self.source.child(element, "variable")
        named = variable is not None and (variable.get("name") or "").strip()
        return self.source.name_of(variable if variable is not None and named else element)

    def _type(self, element: etree._Element) -> Type:
        return self.types.of(self.source.child(element, "variable"))

    def read(self) -> Decisions:
        """Return the decisions; raise DecisionFileError."""
        knowledge = {
            **{key: self._knowledge(key, element) for key, element in self._all("businessKnowledgeModel")},
            **{key: self._service(key, element) for key, element in self._all("decisionService")},
        }
        decisions = {key: self._decision(key, element) for key, element in self._all("decision")}
        result = Decisions(
            self.source.file, self.source.version, decisions, self.inputs, knowledge, self.types
        )
        self._services.update({key: result for key, _ in self._all("decisionService")})
        self._acyclic(decisions, knowledge)
        return result

    # --- requirements ----------------------------------------------------------------------------------

    def _required(self, element: etree._Element) -> Required:
        inputs: list[str] = []
        decisions: list[str] = []
        knowledge: list[str] = []
        for name, part in self.source.children(element):
            if name == "informationRequirement":
                for kind, reference in self.source.children(part):
                    if kind == "requiredInput":
                        inputs.append(self._refer(reference, "inputData"))
                    elif kind == "requiredDecision":
                        decisions.append(self._refer(reference, "decision"))
                    else:
                        raise self.source.fault(f'"{kind}" is not supported in a requirement', reference)
            elif name == "knowledgeRequirement":
                for _, reference in self.source.children(part):
                    knowledge.append(self._refer(reference, "businessKnowledgeModel", "decisionService"))
        return Required(tuple(inputs), tuple(decisions), tuple(knowledge))

    def _refer(self, reference: etree._Element, *kinds: str) -> str:
        href = (reference.get("href") or "").strip()
        home, _, key = href.rpartition("#")
        if home and home != self.source.root.get("namespace"):
            raise self.source.fault(
                f'"{href}" points into another file', reference, "put everything into one file"
            )
        element = self.elements.get(key)
        if element is None or split(element.tag)[1] not in kinds:
            raise self.source.fault(f'"{href}" names no {" or ".join(kinds)} of this file', reference)
        return key

    def _scope(self, required: Required) -> Scope:
        names = [self.inputs[key].name for key in required.inputs]
        names += [self._variable(self.elements[key]) for key in required.decisions]
        names += [self._variable(self.elements[key]) for key in required.knowledge]
        return Scope(frozenset(names), set())

    # --- elements --------------------------------------------------------------------------------------

    def _decision(self, key: str, element: etree._Element) -> Decision:
        source = self.source
        source.only(element, "variable", *_REQUIREMENTS, *_DOCUMENTING, *BOXED)
        required = self._required(element)
        scope = self._scope(required)
        name = source.name_of(element)
        logics = [part for kind, part in source.children(element) if kind in BOXED]
        if len(logics) != 1:
            problem = "no logic" if not logics else "several expressions"
            raise source.fault(
                f'the decision "{name}" has {problem}', element, "give it one table or expression"
            )
        logic = self.reader.boxed(logics[0], scope, name)
        return Decision(
            key,
            name,
            line_of(element),
            self._variable(element),
            self._type(element),
            logic,
            required.inputs,
            required.decisions,
            required.knowledge,
            frozenset(scope.implicit),
        )

    def _knowledge(self, key: str, element: etree._Element) -> Knowledge:
        source = self.source
        source.only(element, "variable", "encapsulatedLogic", *_REQUIREMENTS)
        required = self._required(element)
        name = self._variable(element)
        function = source.child(element, "encapsulatedLogic")
        if function is None:
            raise source.fault(f'the business knowledge model "{name}" has no logic', element)
        scope = self._scope(required).with_names(name)
        make = BOXED["functionDefinition"](self.reader, function, scope, name)
        return Knowledge(key, name, _knowing_itself(make, name), required.knowledge)

    def _service(self, key: str, element: etree._Element) -> Knowledge:
        """Compile a decision service: a function of its inputs that evaluates its output decisions."""
        source = self.source
        source.only(
            element, "variable", "outputDecision", "encapsulatedDecision", "inputDecision", "inputData"
        )
        parts: dict[str, list[str]] = {"outputDecision": [], "inputDecision": [], "inputData": []}
        for kind, part in source.children(element):
            if kind in parts:
                parts[kind].append(self._refer(part, "inputData" if kind == "inputData" else "decision"))
        if not parts["outputDecision"]:
            raise source.fault("a decision service without output decision", element)
        return Knowledge(key, self._variable(element), self._serve(key, element, parts), ())

    def _serve(self, key: str, element: etree._Element, parts: Mapping[str, list[str]]) -> Logic:
        inputs = [(self.inputs[i].name, self.inputs[i].type) for i in parts["inputData"]]
        given = [
            (self._variable(self.elements[i]), self._type(self.elements[i]), i)
            for i in parts["inputDecision"]
        ]
        parameters = inputs + [(name, wanted) for name, wanted, _ in given]
        services, result_type, name = self._services, self._type(element), self._variable(element)

        def body(names: Names, run: Run) -> Value:
            decisions = services[key]
            inner = Run({key_: names[key_] for key_, _ in inputs}, run.functions, run.budget)
            inner.results.update({i: names[variable] for variable, _, i in given})
            found = {
                decisions.decisions[i].variable: decisions.value(decisions.decisions[i], inner)
                for i in parts["outputDecision"]
            }
            value = found if len(found) > 1 else next(iter(found.values()))
            return decisions.types.fit(value, result_type, f'"{name}"')

        return lambda names, run: boxed_function(parameters, body, {}, run, self.types, name)

    def _acyclic(self, decisions: Mapping[str, Decision], knowledge: Mapping[str, Knowledge]) -> None:
        """Refuse elements that require themselves, and very long chains."""
        heights: dict[str, int] = {}

        def height(key: str, above: tuple[str, ...]) -> int:
            if key in above or len(above) > CHAIN:
                raise self._chained(key, key in above)
            if key not in heights:
                item = decisions.get(key) or knowledge[key]
                below = (*getattr(item, "decisions", ()), *item.knowledge)
                heights[key] = 1 + max((height(one, (*above, key)) for one in below), default=0)
            return heights[key]

        for key in (*knowledge, *decisions):
            height(key, ())

    def _chained(self, key: str, endless: bool) -> DecisionFileError:
        element = self.elements[key]
        problem = "requires itself" if endless else f"requires more than {CHAIN} others in a row"
        return self.source.fault(f'"{self.source.name_of(element)}" {problem}', element)


def _knowing_itself(make: Logic, name: str) -> Logic:
    """Return a function that sees itself by its name, so that it may call itself."""

    def known(names: Names, run: Run) -> Value:
        seen = dict(names)
        function = make(seen, run)
        seen[name] = function
        return function

    return known
