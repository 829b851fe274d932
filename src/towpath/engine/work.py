"""The working copy of an instance during one step: what handlers read and change it with."""

from __future__ import annotations

from collections.abc import Mapping as AbstractMapping
from collections.abc import MutableMapping
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from towpath import feel
from towpath.bpmn.graph import Condition, Element, Flow, Process, Value
from towpath.engine.commands import Command, Variables
from towpath.engine.documents import Document, merged
from towpath.engine.effects import (
    AnyEffect,
    ElementRecord,
    FlowRecord,
    IncidentRecord,
    Send,
    VariablesRecord,
)
from towpath.engine.models import DeployedProcess, Keys, Models
from towpath.engine.pages import Paged, Pages, at_hand
from towpath.engine.state import (
    ACTIVATING,
    COMPLETING,
    ElementInstance,
    Incident,
    Instance,
)

NO_VARIABLES = Document({})
BODY = "MULTI_INSTANCE_BODY"  # what records call the body of a multi-instance
JOINS = ("parallel", "inclusive")  # kinds of elements that wait for several flows
PLAIN = frozenset({str, int, bool, type(None)})  # types of values that JSON has as FEEL has them
LONG = 10**15  # integers from here on may be others in FEEL
# What evaluating may raise, beside FEEL's own limits: values too large or too deep for Python.
EVALUATION_ERRORS = (feel.FeelError, ArithmeticError, ValueError, TypeError, RecursionError)


class Failure(Exception):
    """The model could not be carried out at an element: an incident, made in one place."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message


class Refusal(Exception):
    """A command cannot be carried out: it changes nothing and is answered with ``Rejected``."""

    def __init__(self, type_: str, reason: str) -> None:
        super().__init__(reason)
        self.type = type_
        self.reason = reason


class Work:
    """Copies of what a step changes, and the effects it has so far.

    ``queue`` holds keys of element instances that are to be activated or completed, as their phase
    says; :mod:`towpath.engine.lifecycle` works it off.
    """

    __slots__ = (
        "at",
        "command",
        "deployed",
        "effects",
        "elements",
        "graph",
        "instance",
        "keys",
        "models",
        "own",
        "owners",
        "pages",
        "queue",
        "watching",
    )

    def __init__(
        self, models: Models, deployed: DeployedProcess, instance: Instance, keys: Keys, command: Command
    ) -> None:
        self.models = models
        self.deployed = deployed
        self.graph: Process = deployed.graph
        self.keys = keys
        self.command = command
        self.at = command.at
        self.effects: list[AnyEffect] = []
        self.queue: list[int] = []
        self.own: set[int] = set()
        self.instance = instance = instance.__copy__()  # type: ignore[attr-defined]  # 4x faster than copy.copy
        if instance.pages:
            self.pages: Pages | None = Pages(instance.pages)
            instance.elements = Paged(instance.elements, self.pages, "elements")
            instance.owners = Paged(instance.owners, self.pages, "owners")
        else:
            self.pages = None
            instance.elements = instance.elements.copy()
            instance.owners = instance.owners.copy()
        self.elements: MutableMapping[int, ElementInstance] = instance.elements
        self.owners: MutableMapping[int, int] = instance.owners
        self.watching = False  # whether ``instance.watched`` is this step's own

    # --- element instances ------------------------------------------------------------------------

    def edit(self, key: int) -> ElementInstance:
        """The element instance, as a copy that may be changed."""
        if key in self.own:
            return self.elements[key]
        found: ElementInstance = self.elements[key].__copy__()  # type: ignore[attr-defined]
        self.elements[key] = found
        self.own.add(key)
        return found

    def element(self, instance: ElementInstance) -> Element:
        return self.graph.elements[instance.element]

    def add(
        self,
        element: Element,
        scope: ElementInstance,
        *,
        result: Document | None = None,
        phase: int = ACTIVATING,
        counter: int = 0,
    ) -> ElementInstance:
        """A new element instance in ``scope`` (editable), queued to be activated or completed."""
        key = self.keys.next()
        found = ElementInstance(key, element.id, scope.key, phase, None, result, counter=counter)
        self.elements[key] = found
        self.own.add(key)
        scope.children += 1
        self.queue.append(key)
        self.effects.append(
            ElementRecord(
                kind="activated",
                key=key,
                scope_key=scope.key,
                element_id=element.id,
                type=element.type if element.multi_instance is None or counter else BODY,
                name=element.name,
                milestone=element.milestone,
            )
        )
        return found

    def remove(self, instance: ElementInstance, kind: str) -> ElementInstance | None:
        """Forget an element instance that completed or terminated; its scope has a child less.

        The scope (editable); None for the process itself.
        """
        if instance.incident is not None:
            self.close_incident(instance)
        element, scope_key = self.graph.elements[instance.element], instance.scope
        del self.elements[instance.key]
        self.effects.append(
            ElementRecord(
                kind=kind,
                key=instance.key,
                scope_key=scope_key,
                element_id=element.id,
                type=element.type if instance.loop is None else BODY,
                name=element.name,
                milestone=element.milestone,
            )
        )
        if not scope_key:
            return None
        scope = self.elements[scope_key] if scope_key in self.own else self.edit(scope_key)
        scope.children -= 1
        return scope

    def children(self, scope: ElementInstance) -> list[ElementInstance]:
        """What is active directly inside ``scope``, oldest first."""
        if not scope.children:
            return []
        near = [found for found in at_hand(self.elements) if found.scope == scope.key]
        if len(near) < scope.children:  # the others are on pages
            near = [found for found in self.elements.values() if found.scope == scope.key]
        return sorted(near, key=lambda found: found.key)

    def complete(self, instance: ElementInstance, result: Document | None = None) -> None:
        """Queue ``instance`` (editable) to be completed with the variables it brings."""
        instance.phase = COMPLETING
        if result is not None:
            instance.result = result
        self.queue.append(instance.key)

    def take(self, flow: Flow, scope: ElementInstance) -> None:
        """Follow a sequence flow: activate its target, or wait at its join for the other flows."""
        self.effects.append(FlowRecord(flow_id=flow.id, scope_key=scope.key))
        target = flow.target
        if target.kind not in JOINS or len(target.incoming) < 2:
            self.add(target, scope)
            return
        taken = dict(scope.taken) if scope.taken else {}
        taken[flow.id] = taken.get(flow.id, 0) + 1
        scope.taken = taken
        if target.kind == "parallel" and all(other.id in taken for other in target.incoming):
            self.join(target, scope)

    def join(self, gateway: Element, scope: ElementInstance) -> None:
        """Consume one of each flow that has arrived at ``gateway``, and activate it."""
        taken = dict(scope.taken or {})
        for flow in gateway.incoming:
            count = taken.get(flow.id, 0)
            if count > 1:
                taken[flow.id] = count - 1
            elif count:
                del taken[flow.id]
        scope.taken = taken or None
        self.add(gateway, scope)

    def send(self, command: Any) -> None:
        self.effects.append(Send(command=command))

    def effect_id(self) -> str:
        """The id of a command that this step sends."""
        return str(self.keys.next())

    # --- variables --------------------------------------------------------------------------------

    def visible(self, instance: ElementInstance) -> Variables:
        """All variables that ``instance`` sees; not to be changed."""
        scopes: list[Document] = []
        current: ElementInstance | None = instance
        while current is not None:
            if current.variables is not None:
                scopes.append(current.variables)
            current = self.elements.get(current.scope)
        return merged(scopes)

    def lookup(self, name: str, instance: ElementInstance) -> tuple[bool, Any]:
        """Whether a variable is visible, and its value."""
        current, elements = instance, self.elements
        while True:
            document = current.variables
            if document is not None and name in document.data:
                return True, document.data[name]
            if not current.scope:
                return False, None
            current = elements[current.scope]

    def put(self, scope: ElementInstance, variables: Variables) -> None:
        """Set variables in ``scope`` (editable) itself."""
        if not variables:
            return
        before = scope.variables.data if scope.variables is not None else NO_VARIABLES.data
        self.effects.append(VariablesRecord(scope_key=scope.key, values=variables, before=before))
        scope.variables = Document({**before, **variables})
        if self.instance.watched:
            self._unsettle(scope, variables, before)

    def _unsettle(self, scope: ElementInstance, variables: Variables, before: Variables) -> None:
        """Have the conditions evaluated that see a variable which was just set in ``scope``."""
        for name in variables:
            watching = self.instance.watched.get(name)
            if watching is None:
                continue
            if not scope.children:  # nothing inside it sees the variable
                watching = {wait.key: scope.key for wait in scope.waits or () if wait.key in watching}
            change = "update" if name in before else "create"
            for key, owner in watching.items():
                if self._sees(owner, name, scope):
                    self._unsettle_wait(owner, key, change)

    def _sees(self, key: int, name: str, scope: ElementInstance) -> bool:
        """Whether the variable that an element instance sees is the one of ``scope``."""
        while key != scope.key:
            current = self.elements.get(key)
            if current is None or (current.variables is not None and name in current.variables.data):
                return False
            key = current.scope
        return True

    def _unsettle_wait(self, owner: int, key: int, change: str) -> None:
        wait = next(wait for wait in self.elements[owner].waits or () if wait.key == key)
        event = self.graph.elements[wait.target].event
        if wait.unsettled or not isinstance(event, Condition) or change not in event.changes:
            return
        current = self.edit(owner)
        current.waits = [
            replace(other, unsettled=True) if other.key == key else other for other in current.waits or ()
        ]
        self.queue.append(owner)

    def propagate(self, instance: ElementInstance, variables: Variables) -> None:
        """Set each variable in the nearest scope outwards that has it, else in the process."""
        if not instance.scope:
            self.put(self.edit(instance.key), variables)
            return
        targets: dict[int, Variables] = {}
        for name, value in variables.items():
            current = instance
            while current.scope and (current.variables is None or name not in current.variables.data):
                current = self.elements[current.scope]
            if current.key in targets:
                targets[current.key][name] = value
            else:
                targets[current.key] = {name: value}
        for key, values in targets.items():
            self.put(self.edit(key), values)

    # --- expressions ------------------------------------------------------------------------------

    def evaluate(
        self,
        expression: feel.Expression,
        instance: ElementInstance,
        more: AbstractMapping[str, Any] | None = None,
        error_type: str = "EXTRACT_VALUE_ERROR",
    ) -> Any:
        """An expression's value, as FEEL has it, with what ``instance`` sees and ``more``."""
        values: dict[str, Any] = {}
        nearest = instance.variables.data if instance.variables is not None else NO_VARIABLES.data
        try:
            for name in expression.reads:
                if more and name in more:
                    value = more[name]
                elif name in nearest:
                    value = nearest[name]
                else:
                    found, value = self.lookup(name, instance)
                    if not found:
                        continue
                if type(value) is int and -LONG < value < LONG:
                    values[name] = value
                else:
                    values[name] = feel.from_json(value)
            return expression.run(feel.Runtime(feel.clock(self.at) if expression.asks_time else None), values)
        except EVALUATION_ERRORS as error:
            raise Failure(error_type, f"`{expression.text}` could not be evaluated: {error}") from None

    def json(
        self,
        value: Value,
        instance: ElementInstance,
        more: AbstractMapping[str, Any] | None = None,
        error_type: str = "EXTRACT_VALUE_ERROR",
    ) -> Any:
        """A value of the model as JSON."""
        if value.expression is None:
            return value.text
        name = value.variable
        if name is not None:
            return more[name] if more is not None and name in more else self.lookup(name, instance)[1]
        found = self.evaluate(value.expression, instance, more, error_type)
        if type(found) in PLAIN:
            return found
        try:
            return feel.to_json(found)
        except EVALUATION_ERRORS as error:
            raise Failure(error_type, f"The value of `{value.text}` is no JSON: {error}") from None

    def text(self, value: Value, instance: ElementInstance, what: str) -> str:
        """A value of the model that must be a text (a number is written out)."""
        if value.expression is None:
            return value.text
        found = self.json(value, instance)
        if isinstance(found, str):
            return found
        if found is not None and not isinstance(found, (bool, list, dict)):
            return number_text(found, what)
        raise self.misfit(f"The {what}", value, "a text", found, instance)

    def misfit(
        self,
        what: str,
        value: Value | feel.Expression,
        wanted: str,
        found: Any,
        instance: ElementInstance,
        more: AbstractMapping[str, Any] | None = None,
    ) -> Failure:
        """The failure of ``value`` to be what is ``wanted``; a null is told with FEEL's reason for it."""
        reason = ""
        expression = value.expression if isinstance(value, Value) else value
        if found is None and expression is not None:
            # Evaluated once more, with all that is visible: only then can FEEL name what was meant.
            try:
                warnings = expression.evaluate(
                    {**self.visible(instance), **(more or {})}, now=self.at
                ).warnings
            except EVALUATION_ERRORS:
                warnings = ()
            reason = f" ({warnings[0]})" if warnings else ""
        return Failure(
            "EXTRACT_VALUE_ERROR",
            f"{what} `{value.text}` must be {wanted}, but is {describe(found)}{reason}.",
        )

    # --- incidents --------------------------------------------------------------------------------

    def open_incident(self, instance: ElementInstance, error_type: str, message: str) -> None:
        """An incident at ``instance`` (editable): it stands still until the incident is resolved."""
        key = self.keys.next()
        instance.incident = Incident(key, error_type)
        self.owners[key] = instance.key
        self.effects.append(
            IncidentRecord(
                kind="created",
                key=key,
                error_type=error_type,
                message=message,
                element_id=instance.element,
                element_instance_key=instance.key,
                job_key=instance.job.key if instance.job is not None else None,
            )
        )

    def close_incident(self, instance: ElementInstance) -> None:
        incident = instance.incident
        if incident is None:
            return
        instance.incident = None
        self.owners.pop(incident.key, None)
        self.effects.append(
            IncidentRecord(
                kind="resolved",
                key=incident.key,
                error_type=incident.error_type,
                element_id=instance.element,
                element_instance_key=instance.key,
            )
        )


def number_text(value: int | Decimal, what: str) -> str:
    """A number written out. Raises Failure for one with thousands of digits."""
    try:
        return str(value)
    except ValueError:
        raise Failure("EXTRACT_VALUE_ERROR", f"The {what} is a number with too many digits.") from None


def describe(value: Any) -> str:
    """A JSON value's type and beginning, for a message."""
    if value is None:
        return "null"
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits, a very deep context
        return f"a {type(value).__name__}"
    return f"the {type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"
