"""The two town halls as a fixture."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.post.towns import Towns


@pytest.fixture
def towns(tmp_path: Path) -> Iterator[Towns]:
    made = Towns(tmp_path)
    yield made
    made.sb.app.close()
    made.hom.app.close()
