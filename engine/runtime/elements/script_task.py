"""Script tasks: assignments over the token's data."""

from engine.definitions.model import Node
from engine.runtime.compiling import Compiler
from engine.runtime.data import patch_between
from engine.runtime.elements.activity import Activity
from engine.runtime.elements.base import case_of
from engine.runtime.specs import ScopeSpec
from engine.runtime.tokens import Token


class ScriptTask(Activity):
    """A task that sets variables (BPMN 2.0.2, 10.3.3)."""

    def __init__(self, spec: ScopeSpec, node: Node, compiler: Compiler) -> None:
        """Compile the script, or the expression whose value a variable takes."""
        super().__init__(spec, node, compiler)
        if node.script is None:
            compiler.refuse(node, "the script task has no script")
        self.result = node.script_result
        self.value = None
        self.script = None
        if self.result is None:
            self.script = compiler.script(node.script)
        else:
            self.value = compiler.script_value(node.script)

    def perform(self, token: Token) -> bool:
        """Run the script on what is visible here."""
        case = case_of(token)
        view, functions = case.view(token), case.services.functions
        if self.script is not None:
            result = self.script.run(view, functions)
        elif self.value is not None and self.result is not None:
            result = {self.result: self.value.value(view, functions)}
        self.receive(token, patch_between({}, result).values)
        return True
