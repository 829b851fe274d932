"""Notification: tells a person on the channels they chose: in-app inbox, e-mail, Web Push.

A notification is a row, made once for each milestone or job whatever is re-delivered (``notifications``);
each address it goes to is a delivery with a state, tried until it arrives or cannot (``deliveries``).
``worker`` makes notification a step of a process, with a receipt; ``milestones`` follows the event feed.
"""

from towpath.frontend.notify.app import create_app
from towpath.frontend.notify.settings import NotifySettings
from towpath.frontend.notify.templates import Template, load_templates

__all__ = ["NotifySettings", "Template", "create_app", "load_templates"]
