"""What a benchmark gives back, and the conditions it ran under."""

import os
import platform
from dataclasses import dataclass
from importlib import metadata


@dataclass(frozen=True, slots=True)
class Row:
    """One measured figure."""

    name: str
    value: float
    unit: str


def conditions(scale: str) -> dict[str, str]:
    """Describe the machine and the versions that shape the figures; nothing that names the host."""
    return {
        "scale": scale,
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "machine": platform.machine(),
        **{name: metadata.version(name) for name in ("SpiffWorkflow", "SQLAlchemy", "lxml")},
    }
