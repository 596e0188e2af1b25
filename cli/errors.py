"""What is wrong with the command line itself."""

from typing import ClassVar

from engine.errors import DienstwegError


class CommandLineError(DienstwegError):
    """An option's value cannot be read; nothing was looked at or changed."""

    exit_status: ClassVar[int] = 2
