"""Settings of the post, from ``[adapters.post]`` in ``dienstweg.toml``."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.post.errors import PostSettingsRefusedError

_TEXTS = frozenset({"print_folder", "scan_folder", "scan_device", "scan_operator", "tariffs"})


@dataclass(frozen=True, slots=True)
class PostSettings:
    """Where letters lie and where scans come from."""

    print_folder: Path
    scan_folder: Path
    """One subfolder an authority, named by its id; where it is missing nothing is watched."""
    scan_device: str | None
    """Recorded with every scan (TR-RESISCAN)."""
    scan_operator: str | None
    """Who scans, where the folder does not tell; recorded with every scan."""
    tariffs: Path | None
    """Own tariff table; None: the one that comes with the post."""
    duplex: bool
    """Letters are printed on both sides: matters for the weight."""


def read_settings(values: Mapping[str, Any], home: Path) -> PostSettings:
    """Read the settings; relative paths start at ``home``. Raises PostSettingsRefusedError."""
    unknown = sorted(set(values) - _TEXTS - {"duplex"})
    wrong = sorted(name for name in _TEXTS & set(values) if not isinstance(values[name], str))
    if unknown or wrong or not isinstance(values.get("duplex", True), bool):
        name = (unknown or wrong or ["duplex"])[0]
        raise PostSettingsRefusedError(
            f"setting {name!r} is {'unknown' if unknown else 'of the wrong kind'}",
            where="[adapters.post]",
            hint=f"known: {', '.join(sorted(_TEXTS))} (texts), duplex (true or false)",
        )
    return PostSettings(
        print_folder=home / values.get("print_folder", "print"),
        scan_folder=home / values.get("scan_folder", "scan"),
        scan_device=values.get("scan_device"),
        scan_operator=values.get("scan_operator"),
        tariffs=home / values["tariffs"] if "tariffs" in values else None,
        duplex=values.get("duplex", True),
    )
