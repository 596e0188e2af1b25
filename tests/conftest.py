"""What all tests share: how property tests are run."""

import os

from hypothesis import HealthCheck, settings

# No test is timed (a loaded machine is no fault), and CI draws the same examples for the same code: what a
# fresh draw finds is found on a developer's machine, not in somebody else's change.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")
