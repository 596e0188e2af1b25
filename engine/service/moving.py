"""Moving an installation's data to another database."""

from engine.store.copying import (
    Copied,
    CopyDiffersError,
    SourceMissingError,
    TargetNotEmptyError,
    copy_database,
)

__all__ = ["Copied", "CopyDiffersError", "SourceMissingError", "TargetNotEmptyError", "copy_database"]
