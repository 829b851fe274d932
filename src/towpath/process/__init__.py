"""The process server: it hosts the functional core on a store, and offers it to the other boxes.

:func:`open_server` gives a :class:`ProcessServer` (in-process, a :class:`towpath.client.ProcessClient`), and
:func:`create_app` its REST API. Inside, :mod:`~towpath.process.host` has the queue and the batches,
:mod:`~towpath.process.batch` what happens within one transaction, :mod:`~towpath.process.carry` how effects
become rows, and :mod:`~towpath.process.feed` the event feed.
"""

from towpath.process.changes import AlreadyExists
from towpath.process.clock import Clock, ManualClock, SystemClock
from towpath.process.rest import create_app
from towpath.process.server import ProcessServer, open_server
from towpath.process.settings import ProcessSettings

__all__ = [
    "AlreadyExists",
    "Clock",
    "ManualClock",
    "ProcessServer",
    "ProcessSettings",
    "SystemClock",
    "create_app",
    "open_server",
]
