"""What a client may write to its own database.

``draft:*`` is the client's own. ``command:*`` is written once and never changed: carrying out is the
service's part. Everything else is written by the service; a client's change of it is refused row by row,
which PouchDB tells its application as ``denied``.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from towpath.frontend.sync.documents import Edit
from towpath.frontend.sync.errors import forbidden

DRAFT, COMMAND, RESULT = "draft:", "command:", "result:"
# They become segments of a path at the facade, so nothing that could lead elsewhere.
RESOURCE = re.compile(r"[a-z][a-z0-9-]{0,63}")
TARGET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")
MESSAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:-]{0,199}")


class Command(msgspec.Struct, kw_only=True):
    """A command document. ``target``: the resource's id, or ``command:{uuid}`` of the start that makes it."""

    type: str
    command: str  # start, message, complete-task, cancel
    resource: str = ""
    target: str | None = None
    name: str | None = None  # of the message
    data: dict[str, Any] = msgspec.field(default_factory=dict)
    at: str | None = None

    def lane(self, id_: str) -> str:
        """Commands of one lane are carried out in the order in which they arrived."""
        if self.target is None or self.target.startswith(COMMAND):
            return self.target or id_
        return f"{self.resource or 'tasks'}:{self.target}"


def parse_command(body: object) -> Command:
    """The command in a document's body. Raises CouchError 403 that says what is wrong with it."""
    try:
        command = msgspec.convert(body, Command)
    except msgspec.ValidationError as error:
        raise forbidden(f"This is not a command: {error}") from None
    if command.type != "command":
        raise forbidden("A document command:... has the type command.")
    if command.command not in ("start", "message", "complete-task", "cancel"):
        raise forbidden("A command is one of: start, message, complete-task, cancel.")
    if command.command != "complete-task" and not RESOURCE.fullmatch(command.resource):
        raise forbidden("A command names its resource, for example claims.")
    if command.command == "start":
        if command.target is not None:
            raise forbidden("A start has no target.")
    elif command.target is None or not TARGET.fullmatch(command.target):
        raise forbidden(f"The command {command.command} needs the id of its target.")
    if command.command == "message" and not (command.name and MESSAGE.fullmatch(command.name)):
        raise forbidden("The command message needs the message's name.")
    return command


def check_write(edit: Edit, *, exists: bool) -> Command | None:
    """The new command, where it is one. Raises CouchError 403 for what a client may not write."""
    if edit.id.startswith(DRAFT):
        return None
    if not edit.id.startswith(COMMAND):
        raise forbidden("Only documents draft:... and command:... are written by clients.")
    if exists:
        raise forbidden("A command is written once and never changed.")
    if edit.deleted:
        raise forbidden("A command is not deleted.")
    command = parse_command(edit.body)
    if edit.uploads and command.command not in ("start", "message"):
        raise forbidden("Only a start or a message takes files.")
    return command
