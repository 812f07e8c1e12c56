"""How long the property tests look: the same examples on every run, so that a failure is one's own change.

`FUZZ=20 make test ARGS=tests/fuzz` looks at 20 times as many, and at others each time.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_TIMES = int(os.environ.get("FUZZ", "1"))


def examples(count: int) -> settings:
    return settings(
        max_examples=count * _TIMES,
        derandomize=_TIMES == 1,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
