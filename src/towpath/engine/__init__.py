"""The functional core: ``step(models, state, command, keys)``, without I/O, clock or randomness.

:func:`step` carries out one command on one process instance or message channel, and answers its new
state and what the host has to do (:mod:`towpath.engine.effects`). :func:`encode` and :func:`decode`
make snapshots of states. Commands are in :mod:`towpath.engine.commands`; what a step may ask of the
deployed models is in :mod:`towpath.engine.models`.
"""

from towpath.engine.starts import StartTimer, condition_starts, next_start, start_timers
from towpath.engine.state import Channel, Instance, decode, encode
from towpath.engine.stepping import step

__all__ = [
    "Channel",
    "Instance",
    "StartTimer",
    "condition_starts",
    "decode",
    "encode",
    "next_start",
    "start_timers",
    "step",
]
