"""How many examples the property tests try: few in every run, many in a soak (``make soak``)."""

import os

from hypothesis import HealthCheck, settings

SOAK = int(os.environ.get("TOWPATH_SOAK", "1"))  # how many times as many examples as in every run


def examples(count: int) -> settings:
    """``count`` examples, or many times as many; how long one takes depends on the machine, not on us."""
    return settings(
        max_examples=count * SOAK,
        deadline=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.large_base_example,
        ],
    )
