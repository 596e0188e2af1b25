"""Writes small DMN files for tests."""

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from engine.decisions import Decisions, read_decisions

DMN13 = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def cell(tag: str, text: str) -> str:
    return f"<{tag}><text>{escape(text)}</text></{tag}>"


def output(name: str | None = None, type_: str | None = None, values: str = "", default: str = "") -> str:
    attributes = (f" name={quoteattr(name)}" if name else "") + (
        f" typeRef={quoteattr(type_)}" if type_ else ""
    )
    inner = (cell("outputValues", values) if values else "") + (
        cell("defaultOutputEntry", default) if default else ""
    )
    return f"<output{attributes}>{inner}</output>"


def input_(text: str, type_: str | None = None, values: str = "") -> str:
    reference = f" typeRef={quoteattr(type_)}" if type_ else ""
    allowed = cell("inputValues", values) if values else ""
    return (
        f"<input><inputExpression{reference}><text>{escape(text)}</text></inputExpression>{allowed}</input>"
    )


def table(
    policy: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    rules: Sequence[tuple[Sequence[str], Sequence[str]]],
    aggregation: str = "",
) -> str:
    rows = "".join(
        "\n<rule>"
        + "".join(cell("inputEntry", c) for c in left)
        + "".join(cell("outputEntry", c) for c in right)
        + "</rule>"
        for left, right in rules
    )
    more = f' aggregation="{aggregation}"' if aggregation else ""
    return (
        f'<decisionTable hitPolicy="{policy}"{more}>{"".join(inputs)}{"".join(outputs)}{rows}</decisionTable>'
    )


def literal(text: str, type_: str = "") -> str:
    reference = f' typeRef="{type_}"' if type_ else ""
    return f"<literalExpression{reference}><text>{escape(text)}</text></literalExpression>"


def decision(name: str, logic: str, requires: Sequence[str] = (), type_: str = "", key: str = "") -> str:
    """``requires``: ids, ``i_…`` for input data, ``b_…`` for knowledge, else decisions."""
    parts = []
    for one in requires:
        if one.startswith("b_"):
            parts.append(f'<knowledgeRequirement><requiredKnowledge href="#{one}"/></knowledgeRequirement>')
        else:
            tag = "requiredInput" if one.startswith("i_") else "requiredDecision"
            parts.append(f'<informationRequirement><{tag} href="#{one}"/></informationRequirement>')
    reference = f" typeRef={quoteattr(type_)}" if type_ else ""
    variable = f"<variable name={quoteattr(name)}{reference}/>"
    return f'<decision id="{key or name}" name={quoteattr(name)}>{variable}{"".join(parts)}{logic}</decision>'


def input_data(name: str, type_: str = "", key: str = "") -> str:
    reference = f" typeRef={quoteattr(type_)}" if type_ else ""
    key = key or f"i_{name}"
    variable = f"<variable name={quoteattr(name)}{reference}/>"
    return f'<inputData id="{key}" name={quoteattr(name)}>{variable}</inputData>'


def xml(*parts: str, namespace: str = DMN13, attributes: str = "") -> bytes:
    body = "\n".join(parts)
    begin = f'<definitions xmlns="{namespace}" id="f" name="f" namespace="urn:f" {attributes}>'
    return f"{begin}\n{body}\n</definitions>".encode()


def read(*parts: str) -> Decisions:
    return read_decisions(xml(*parts), "test.dmn")
