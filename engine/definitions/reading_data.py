"""Reads data: objects, references, stores, inputs and outputs, associations, loops."""

import json
from collections.abc import Iterator
from dataclasses import replace

from lxml import etree

from engine.definitions.model import DataMapping, DataObject, Expression, Loop, variable_name
from engine.definitions.reading import Reading, child, children, truth
from engine.definitions.troubles import TroubleKind
from engine.definitions.xml import BPMN, CAMUNDA_LIKE, ZEEBE, clark, line_of, split, text_of

_PLACEHOLDER = "__targetRef_placeholder"
"""The property that bpmn-js invents as target of a drawn input association."""
_ITEMS = ("dataObject", "dataInput", "dataOutput", "property", "dataStoreReference")


def read_data_objects(container: etree._Element, reading: Reading) -> tuple[DataObject, ...]:
    """Return the data elements that stand directly in a process, sub-process, activity or event."""
    found = list(_items(container))
    specification = child(container, "ioSpecification")
    if specification is not None:
        found.extend(_items(specification))
    return tuple(
        DataObject(
            id=str(item.get("id")),
            name=_shown_name(item, reading),
            line=line_of(item),
            collection=truth(item.get("isCollection"), False),
            kind=split(item.tag)[1],
        )
        for item in found
        if item.get("id")
    )


def _items(container: etree._Element) -> Iterator[etree._Element]:
    for item in container:
        namespace, name = split(item.tag)
        if namespace == BPMN and name in _ITEMS:
            yield item


def variable_of(element_id: str, reading: Reading) -> str | None:
    """Return the variable behind a data element or data object reference; None where there is none."""
    item = reading.by_id.get(element_id)
    if item is None:
        return None
    name = split(item.tag)[1]
    if name == "dataObjectReference":
        target = reading.by_id.get(reading.local_name(item, item.get("dataObjectRef") or ""))
        if target is None or split(target.tag)[1] != "dataObject":
            return None
        item = target
    elif name not in (*_ITEMS, "inputDataItem", "outputDataItem"):
        return None
    return variable_name(str(item.get("id")), _shown_name(item, reading))


def _shown_name(item: etree._Element, reading: Reading) -> str | None:
    """Return the name; a data object without one is known by that of the first reference to it."""
    return item.get("name") or reading.data_names.get(str(item.get("id")))


def read_mappings(
    element: etree._Element, reading: Reading
) -> tuple[tuple[DataMapping, ...], tuple[DataMapping, ...]]:
    """Return inputs and outputs of a flow node: BPMN's associations first, then the vendors' mappings."""
    inputs = [
        mapping
        for item in children(element, "dataInputAssociation")
        for mapping in _association(item, reading)
    ]
    outputs = [
        mapping
        for item in children(element, "dataOutputAssociation")
        for mapping in _association(item, reading)
    ]
    extensions = child(element, "extensionElements")
    if extensions is not None:
        for item in extensions:
            namespace, name = split(item.tag)
            if namespace in CAMUNDA_LIKE and name in ("in", "out"):
                mapping = _call_mapping(item, reading)
                if mapping is not None:
                    (inputs if name == "in" else outputs).append(mapping)
            elif namespace in CAMUNDA_LIKE and name == "inputOutput":
                inputs.extend(_parameters(item, "inputParameter", reading))
                outputs.extend(_parameters(item, "outputParameter", reading))
            elif namespace == ZEEBE and name == "ioMapping":
                inputs.extend(_zeebe(item, "input", reading))
                outputs.extend(_zeebe(item, "output", reading))
    return tuple(inputs), tuple(outputs)


def _association(item: etree._Element, reading: Reading) -> Iterator[DataMapping]:
    target_element = child(item, "targetRef")
    target_id = "" if target_element is None else reading.local_name(item, text_of(target_element))
    target = variable_of(target_id, reading)
    sources = [reading.local_name(source, text_of(source)) for source in children(item, "sourceRef")]
    assignments = children(item, "assignment")
    if target == _PLACEHOLDER or not (sources or assignments):
        # Modelers write so when a data symbol is only connected by a line.
        name = split(item.tag)[1]
        reading.trouble(TroubleKind.PICTURE, item, name, "", "it has no source or no target")
        return
    if target is None:
        reading.trouble(
            TroubleKind.BROKEN_REFERENCE,
            item,
            "targetRef",
            target_id,
            "no data element of that id in the file",
        )
        return
    transformation = reading.expression(child(item, "transformation"))
    if assignments:
        for assignment in assignments:
            source = reading.expression(child(assignment, "from"))
            to = child(assignment, "to")
            if source is None or to is None or text_of(to) not in (target, target_id):
                reading.trouble(
                    TroubleKind.UNSUPPORTED_DATA,
                    assignment,
                    "assignment",
                    "" if to is None else text_of(to),
                    "an assignment needs a from, and a to that is the association's target",
                )
            else:
                yield DataMapping(target=target, source=source, line=line_of(assignment))
        return
    if transformation is not None:
        yield DataMapping(target=target, source=transformation, line=line_of(item))
        return
    for source_id in sources:
        variable = variable_of(source_id, reading)
        if variable is None:
            reading.trouble(
                TroubleKind.BROKEN_REFERENCE,
                item,
                "sourceRef",
                source_id,
                "no data element of that id in the file",
            )
        else:
            yield DataMapping(
                target=target, source=Expression(text=variable, line=line_of(item)), line=line_of(item)
            )


def _call_mapping(item: etree._Element, reading: Reading) -> DataMapping | None:
    line = line_of(item)
    if item.get("variables") == "all":
        return DataMapping(target="", source=None, line=line, all=True)
    if item.get("businessKey") is not None:
        return None  # a case has its own file reference
    target, source = item.get("target"), item.get("source")
    written = item.get("sourceExpression") if source is None else source
    # A source is a variable's name, no expression: "a-b" must not become a subtraction.
    if not target or not written or not target.isidentifier() or not (source or "a").isidentifier():
        reading.trouble(
            TroubleKind.UNSUPPORTED_DATA,
            item,
            split(item.tag)[1],
            f"{written or ''} → {target or ''}",
            "source and target are names of variables; a value that is computed is a sourceExpression",
        )
        return None
    return DataMapping(target=target, source=reading.written(written, item), line=line)


def _parameters(container: etree._Element, tag: str, reading: Reading) -> Iterator[DataMapping]:
    for item in container:
        if split(item.tag)[1] != tag:
            continue
        name, nested = item.get("name") or "", list(item)
        if nested or not name:
            what = split(nested[0].tag)[1] if nested else tag
            reading.trouble(
                TroubleKind.UNSUPPORTED_DATA,
                item,
                tag,
                name,
                f"a parameter built by <{what}> is not read" if nested else "the parameter has no name",
            )
            continue
        yield DataMapping(
            target=name, source=literal_or_expression(item.text or "", item), line=line_of(item)
        )


def _zeebe(container: etree._Element, tag: str, reading: Reading) -> Iterator[DataMapping]:
    for item in container:
        if split(item.tag) != (ZEEBE, tag):
            continue
        target, source = item.get("target") or "", item.get("source") or ""
        if not target.isidentifier():
            reading.trouble(
                TroubleKind.UNSUPPORTED_DATA, item, tag, target, "the target is not a plain variable name"
            )
            continue
        yield DataMapping(target=target, source=literal_or_expression(source, item), line=line_of(item))


def literal_or_expression(text: str, element: etree._Element) -> Expression:
    """Return the expression of a vendor's mapping: text without ``${`` or a leading ``=`` is a text value."""
    text = text.strip()
    if "${" in text or "#{" in text or text.startswith("="):
        return Expression(text=text, line=line_of(element))
    return Expression(text=json.dumps(text, ensure_ascii=False), line=line_of(element))


def read_loop(activity: etree._Element, reading: Reading) -> Loop | None:
    """Return the loop characteristics of an activity, vendors' spellings included."""
    standard = child(activity, "standardLoopCharacteristics")
    if standard is not None:
        maximum = standard.get("loopMaximum")
        return Loop(
            multi=False,
            line=line_of(standard),
            condition=reading.expression(child(standard, "loopCondition")),
            test_before=truth(standard.get("testBefore"), False),
            maximum=None if not maximum else Expression(text=maximum, line=line_of(standard)),
        )
    multi = child(activity, "multiInstanceLoopCharacteristics")
    if multi is None:
        return None
    loop = Loop(
        multi=True,
        line=line_of(multi),
        sequential=truth(multi.get("isSequential"), False),
        cardinality=reading.expression(child(multi, "loopCardinality")),
        collection=_data_reference(multi, "loopDataInputRef", reading),
        item=_item(multi, "inputDataItem"),
        output_collection=_output(multi, reading),
        output_item=_item(multi, "outputDataItem"),
        completion_condition=reading.expression(child(multi, "completionCondition")),
        behavior=multi.get("behavior") or "All",
    )
    return _with_vendor(loop, multi, reading)


def _data_reference(multi: etree._Element, tag: str, reading: Reading) -> Expression | None:
    item = child(multi, tag)
    if item is None or not text_of(item):
        return None
    raw = text_of(item)
    variable = variable_of(reading.local_name(item, raw), reading)
    if variable is None:
        # Other engines read the text as a variable's name; a plain name is taken so as well.
        if raw in reading.by_id or not raw.isidentifier():
            reading.trouble(
                TroubleKind.BROKEN_REFERENCE, multi, tag, raw, "no data element of that id in the file"
            )
            return None
        variable = raw
    return Expression(text=variable, line=line_of(item))


def _output(multi: etree._Element, reading: Reading) -> str | None:
    reference = _data_reference(multi, "loopDataOutputRef", reading)
    return None if reference is None else reference.text


def _item(multi: etree._Element, tag: str) -> str | None:
    item = child(multi, tag)
    if item is None or not (item.get("id") or item.get("name")):
        return None
    return variable_name(item.get("id") or "", item.get("name"))


def _with_vendor(loop: Loop, multi: etree._Element, reading: Reading) -> Loop:
    for namespace in CAMUNDA_LIKE:
        collection = reading.written(multi.get(clark(namespace, "collection")), multi)
        text = "" if collection is None else collection.text
        if text and not text.startswith(("${", "#{")) and not text.isidentifier():
            told = "a variable's name or ${…} expected"
            reading.trouble(TroubleKind.UNSUPPORTED_DATA, multi, "collection", text, told)
        if collection is not None:
            loop = replace(loop, collection=collection)
        item = multi.get(clark(namespace, "elementVariable"))
        if item:
            loop = replace(loop, item=item)
    extensions = child(multi, "extensionElements")
    zeebe = None if extensions is None else extensions.find(clark(ZEEBE, "loopCharacteristics"))
    if zeebe is None:
        return loop
    output = zeebe.get("outputElement")
    if output and not output.removeprefix("=").strip().isidentifier():
        reading.trouble(
            TroubleKind.UNSUPPORTED_DATA, multi, "outputElement", output, "only a variable's name is read"
        )
        output = None
    return replace(
        loop,
        collection=reading.written(zeebe.get("inputCollection"), multi) or loop.collection,
        item=zeebe.get("inputElement") or loop.item,
        output_collection=zeebe.get("outputCollection") or loop.output_collection,
        output_item=output.removeprefix("=").strip() if output else loop.output_item,
    )
