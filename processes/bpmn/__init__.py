"""One folder a procedure: model, forms, letters, mappings, scenarios."""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable


def shipped() -> Iterator[Traversable]:
    """Yield the folder of every shipped procedure, by key; ``load_package`` reads one."""
    folders = (item for item in files(__package__).iterdir() if item.is_dir())
    for folder in sorted(folders, key=lambda item: item.name):
        if folder.joinpath("procedure.yaml").is_file():
            yield folder
