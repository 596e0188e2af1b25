"""Send tasks: a message leaves, and the task is done at once."""

from engine.definitions.model import Node
from engine.runtime.compiling import Compiler
from engine.runtime.elements.activity import Activity
from engine.runtime.elements.throwing import compile_sending, send
from engine.runtime.specs import ScopeSpec
from engine.runtime.tokens import Token


class SendTask(Activity):
    """A task that sends a message (BPMN 2.0.2, 10.3.3)."""

    def __init__(self, spec: ScopeSpec, node: Node, compiler: Compiler) -> None:
        """Compile the message."""
        super().__init__(spec, node, compiler)
        self.sending = compile_sending(node, node.message, compiler)

    def _begin(self, token: Token) -> bool:
        """Send; the inputs are the message's content, not local variables."""
        return self.perform(token)

    def perform(self, token: Token) -> bool:
        """Send the message."""
        send(self, token, self.sending)
        if self.gives:
            self.receive(token, {})
        return True
