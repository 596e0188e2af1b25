"""How an installation moves from post to electronic: ``[migration]`` in ``dienstweg.toml``."""

from pydantic import BaseModel, ConfigDict

from engine.service.deadlines.settings import Period


class MigrationSettings(BaseModel):
    """How often rules are watched, and how long shadow sends are waited for and kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    watch_every: Period = "PT10M"
    """How often rules with ``--revert-if`` are held against what was sent."""
    test_wait: Period = "P3D"
    """How long the digest receipt of a shadow send is waited for."""
    test_keep: Period = "P7D"
    """How long content of a shadow send, or of a test that arrived, is kept after its comparison."""
