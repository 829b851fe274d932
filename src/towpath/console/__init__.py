"""The console: the pages (phone app, tasks, operate), their assets, and the operator's API.

The pages are small programs of their own (``web/``); this service gives out their shells and files, and
answers ``/console/api`` to operators over :class:`towpath.client.ProcessClient`. What the phone and the task
page need from a process they ask of the front-end services and the facade, through the gateway.
"""

from towpath.console.app import create_app
from towpath.console.settings import ConsoleSettings

__all__ = ["ConsoleSettings", "create_app"]
