"""A process server in a dictionary: carries out effects, and checks the core's contract at every step."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from towpath import bpmn
from towpath.engine import commands as c
from towpath.engine import decode, effects, encode, pages, step
from towpath.engine.documents import merged
from towpath.engine.models import DeployedDecision, DeployedProcess
from towpath.engine.state import Channel, Instance


class Keys:
    def __init__(self) -> None:
        self.last = 1_000

    def next(self) -> int:
        self.last += 1
        return self.last


class NoKeys:
    """For steps that must not need a key, because they change nothing."""

    def next(self) -> int:
        return 0


class Offered:
    """A job that a worker may take."""

    def __init__(self, offer: effects.OfferJob, host: Host, instance: int) -> None:
        self.key = offer.key
        self.type = offer.type
        self.headers = offer.headers
        self.retries = offer.retries
        self.kind = offer.kind
        self.element_id = offer.element_id
        self.element_instance_key = offer.element_instance_key
        self._host = host
        self._instance = instance

    @property
    def variables(self) -> dict[str, Any]:
        """What is visible from the job's element now."""
        return merged(self._host.instance(self._instance).scopes(self.element_instance_key))


class Host:
    """Deploy, start, answer jobs, move the clock. ``seen`` holds every effect in order.

    With more than ``near`` element instances, states are kept in pages.
    """

    def __init__(self, *files: bytes, near: int = pages.NEAR) -> None:
        self.near = near
        self.keys = Keys()
        self.now = 1_800_000_000_000
        self.processes: dict[int, DeployedProcess] = {}
        self.decisions: dict[str, DeployedDecision] = {}
        self.forms: dict[str, int] = {}
        self.states: dict[Any, Instance | Channel] = {}
        self.ended: dict[int, effects.Completed] = {}
        self.jobs: dict[int, Offered] = {}
        self.job_instance: dict[int, int] = {}
        self.timers: dict[int, tuple[int, int]] = {}  # key -> due, instance
        self.tasks: dict[int, tuple[effects.UserTask, int]] = {}
        self.incidents: dict[int, tuple[effects.IncidentRecord, int]] = {}
        self.signals: dict[int, tuple[str, int]] = {}  # subscription -> name, instance
        self.seen: list[Any] = []
        self.outbox: deque[c.AnyCommand] = deque()
        self.hold = False  # leave sent commands in the outbox
        for file in files:
            self.deploy(file)

    # --- models -----------------------------------------------------------------------------------

    def deploy(self, xml: bytes) -> None:
        for graph in bpmn.read(xml).processes:
            versions = [found.version for found in self.processes.values() if found.process_id == graph.id]
            key = self.keys.next()
            self.processes[key] = DeployedProcess(
                key=key,
                process_id=graph.id,
                version=max(versions, default=0) + 1,
                version_tag=graph.version_tag,
                graph=graph,
            )

    def process(self, definition_key: int) -> DeployedProcess | None:
        return self.processes.get(definition_key)

    def find_process(
        self, process_id: str, binding: str = "latest", version_tag: str | None = None, *, caller: int
    ) -> DeployedProcess | None:
        found = [deployed for deployed in self.processes.values() if deployed.process_id == process_id]
        if binding == "versionTag":
            found = [deployed for deployed in found if deployed.version_tag == version_tag]
        return found[-1] if found else None

    def find_decision(
        self, decision_id: str, binding: str = "latest", version_tag: str | None = None, *, caller: int
    ) -> DeployedDecision | None:
        return self.decisions.get(decision_id)

    def find_form(
        self, form_id: str, binding: str = "latest", version_tag: str | None = None, *, caller: int
    ) -> int | None:
        return self.forms.get(form_id)

    def message_starts(self, message_name: str) -> list[tuple[int, str]]:
        return [
            (key, element.id)
            for key, deployed in self.processes.items()
            for element in deployed.graph.message_starts
            if element.event.name.text == message_name
        ]

    def signal_starts(self, signal_name: str) -> list[tuple[int, str]]:
        latest = {deployed.process_id: deployed for deployed in self.processes.values()}
        return [
            (deployed.key, element.id)
            for deployed in latest.values()
            for element in deployed.graph.signal_starts
            if element.event.name.text == signal_name
        ]

    # --- stepping ---------------------------------------------------------------------------------

    def send(self, command: c.AnyCommand) -> effects.Rejected | None:
        """Carry out a command and everything that follows from it."""
        rejected = self.one(command)
        self.deliver()
        return rejected

    def deliver(self) -> None:
        """Carry out what was sent."""
        while self.outbox and not self.hold:
            self.one(self.outbox.popleft())

    def one(self, command: c.AnyCommand) -> effects.Rejected | None:
        """One step, with what the contract promises of every step."""
        usual, pages.NEAR = pages.NEAR, self.near
        try:
            return self._checked(command)
        finally:
            pages.NEAR = usual

    def _checked(self, command: c.AnyCommand) -> effects.Rejected | None:
        place = self.place(command)
        before = self.states.get(place)
        if before is None and isinstance(command, c.CreateInstance) and command.instance_key in self.ended:
            return effects.Rejected(type="already-exists", reason="it has ended")
        snapshot = encode(before) if before is not None else b""
        first = self.keys.last
        outcome = step(self, before, command, self.keys)
        last, self.keys.last = self.keys.last, first
        again = step(self, before, command, self.keys)
        assert self.keys.last == last
        assert (encode(before) if before is not None else b"") == snapshot, "the given state was changed"
        assert again == outcome, "the same step made something else"
        if outcome.rejected is not None:
            assert outcome.rejected.type != "internal", outcome.rejected.reason
            assert outcome.state is before
            assert not outcome.effects
            return outcome.rejected
        if outcome.state is None:
            self.states.pop(place, None)
        else:
            text = encode(outcome.state)
            decoded = decode(text)
            assert encode(decoded) == text
            assert decoded == outcome.state
            self.states[place] = decoded
            if isinstance(decoded, Instance):
                check(decoded)
            self._repeat(command, decoded, text)
        for effect in outcome.effects:
            self._carry_out(effect, place)
        return None

    def _repeat(self, command: c.AnyCommand, state: Instance | Channel, text: bytes) -> None:
        """The command once more: it changes nothing."""
        if isinstance(command, c.Continue) and isinstance(state, Instance) and state.pending:
            return  # a second Continue goes on, too: there is no harm in it
        repeated = step(self, state, command, NoKeys())
        assert repeated.state is state
        assert encode(state) == text
        refused = [
            e for e in repeated.effects if not isinstance(getattr(e, "command", None), c.TriggerRefused)
        ]
        assert refused == []

    def place(self, command: c.AnyCommand) -> Any:
        if isinstance(command, c.ChannelCommand):
            return command.name, command.correlation_key
        return command.instance_key

    def _carry_out(self, effect: Any, place: Any) -> None:
        self.seen.append(effect)
        match effect:
            case effects.Send(command=command):
                self.outbox.append(command)
            case effects.OfferJob():
                assert effect.key not in self.jobs
                self.jobs[effect.key] = Offered(effect, self, place)
                self.job_instance[effect.key] = place
            case effects.CloseJob():
                del self.jobs[effect.key]
            case effects.SetTimer():
                self.timers[effect.key] = (effect.due_at, place)
            case effects.CancelTimer():
                del self.timers[effect.key]
            case effects.OpenSignalSubscription():
                self.signals[effect.key] = (effect.signal_name, place)
            case effects.CloseSignalSubscription():
                assert self.signals.pop(effect.key) == (effect.signal_name, place)
            case effects.Broadcast():
                self._broadcast(effect)
            case effects.UserTaskRecord(kind="completed" | "canceled"):
                del self.tasks[effect.task.key]
            case effects.UserTaskRecord():
                self.tasks[effect.task.key] = (effect.task, place)
            case effects.IncidentRecord(kind="created"):
                self.incidents[effect.key] = (effect, place)
            case effects.IncidentRecord():
                del self.incidents[effect.key]
            case effects.Completed():
                self.ended[effect.key] = effect

    def _broadcast(self, signal: effects.Broadcast) -> None:
        """To all who wait for it at that moment; of every process that it starts, one instance more."""
        self.outbox.extend(
            c.TriggerSignal(
                id=f"{signal.key}:{key}",
                at=self.now,
                instance_key=instance,
                subscription_key=key,
                signal_key=signal.key,
                variables=signal.variables,
            )
            for key, (name, instance) in list(self.signals.items())
            if name == signal.signal_name and key < signal.key
        )
        self.outbox.extend(
            c.CreateInstance(
                id=self.id(),
                at=self.now,
                instance_key=self.keys.next(),
                definition_key=definition,
                start_element=element,
                variables=signal.variables,
            )
            for definition, element in self.signal_starts(signal.signal_name)
        )

    # --- what tests do ----------------------------------------------------------------------------

    def id(self) -> str:
        return f"command-{self.keys.next()}"

    def start(self, variables: dict[str, Any] | None = None, process: str = "p", **more: Any) -> int:
        deployed = self.find_process(process, caller=0)
        assert deployed is not None
        key = self.keys.next()
        rejected = self.send(
            c.CreateInstance(
                id=self.id(),
                at=self.now,
                instance_key=key,
                definition_key=deployed.key,
                variables=variables or {},
                **more,
            )
        )
        assert rejected is None, rejected
        return key

    def job(self, type: str) -> Offered:
        """The only job of this type."""
        found = [job for job in self.jobs.values() if job.type == type]
        assert len(found) == 1, f"{len(found)} jobs {type!r} among {[job.type for job in self.jobs.values()]}"
        return found[0]

    def complete(self, type: str | int, variables: dict[str, Any] | None = None) -> effects.Rejected | None:
        key = type if isinstance(type, int) else self.job(type).key
        return self.send(
            c.CompleteJob(
                id=self.id(),
                at=self.now,
                instance_key=self.job_instance[key],
                job_key=key,
                variables=variables or {},
            )
        )

    def fail(self, type: str, retries: int = 0, **more: Any) -> effects.Rejected | None:
        key = self.job(type).key
        return self.send(
            c.FailJob(
                id=self.id(),
                at=self.now,
                instance_key=self.job_instance[key],
                job_key=key,
                retries=retries,
                **more,
            )
        )

    def throw(self, type: str, code: str, variables: dict[str, Any] | None = None) -> effects.Rejected | None:
        key = self.job(type).key
        return self.send(
            c.ThrowJobError(
                id=self.id(),
                at=self.now,
                instance_key=self.job_instance[key],
                job_key=key,
                code=code,
                variables=variables or {},
            )
        )

    def publish(
        self,
        name: str,
        correlation_key: str,
        variables: dict[str, Any] | None = None,
        *,
        ttl: int = 0,
        message_id: str | None = None,
        must_correlate: bool = False,
    ) -> effects.Rejected | None:
        return self.send(
            c.PublishMessage(
                id=self.id(),
                at=self.now,
                name=name,
                correlation_key=correlation_key,
                message_key=self.keys.next(),
                variables=variables or {},
                expires_at=self.now + ttl if ttl else None,
                message_id=message_id,
                must_correlate=must_correlate,
            )
        )

    def broadcast(self, name: str, variables: dict[str, Any] | None = None) -> None:
        """A signal from outside."""
        self._broadcast(effects.Broadcast(key=self.keys.next(), signal_name=name, variables=variables or {}))
        self.deliver()

    def task(self) -> effects.UserTask:
        """The only user task."""
        assert len(self.tasks) == 1
        return next(iter(self.tasks.values()))[0]

    def answer(self, type: str, denied: bool = False, **corrections: Any) -> effects.Rejected | None:
        """A task listener's job says that the change is denied, or what to correct."""
        key = self.job(type).key
        result = c.JobResult(denied=denied, corrections=corrections)
        instance = self.job_instance[key]
        return self.send(
            c.CompleteJob(id=self.id(), at=self.now, instance_key=instance, job_key=key, result=result)
        )

    def assign_task(self, assignee: str | None, override: bool = True) -> effects.Rejected | None:
        task, instance = next(iter(self.tasks.values()))
        return self.send(
            c.AssignUserTask(
                id=self.id(),
                at=self.now,
                instance_key=instance,
                task_key=task.key,
                assignee=assignee,
                allow_override=override,
            )
        )

    def complete_task(self, variables: dict[str, Any] | None = None) -> effects.Rejected | None:
        task, instance = next(iter(self.tasks.values()))
        return self.send(
            c.CompleteUserTask(
                id=self.id(), at=self.now, instance_key=instance, task_key=task.key, variables=variables or {}
            )
        )

    def wait(self, ms: int) -> None:
        """Move the clock, firing every timer when it is due."""
        until = self.now + ms
        while due := sorted((due, key) for key, (due, _) in self.timers.items() if due <= until):
            self.now, key = max(self.now, due[0][0]), due[0][1]
            self.fire(key)
        self.now = until

    def fire(self, key: int) -> None:
        _, instance = self.timers.pop(key)
        self.send(c.TriggerTimer(id=self.id(), at=self.now, instance_key=instance, timer_key=key))

    def incident(self) -> effects.IncidentRecord:
        """The only incident."""
        assert len(self.incidents) == 1, list(self.incidents.values())
        return next(iter(self.incidents.values()))[0]

    def resolve(self) -> effects.Rejected | None:
        key, (_, instance) = next(iter(self.incidents.items()))
        return self.send(
            c.ResolveIncident(id=self.id(), at=self.now, instance_key=instance, incident_key=key)
        )

    def set(
        self, instance: int, variables: dict[str, Any], scope: int | None = None, local: bool = False
    ) -> None:
        rejected = self.send(
            c.SetVariables(
                id=self.id(),
                at=self.now,
                instance_key=instance,
                scope_key=scope or instance,
                variables=variables,
                local=local,
            )
        )
        assert rejected is None

    def cancel(self, instance: int) -> effects.Rejected | None:
        return self.send(c.CancelInstance(id=self.id(), at=self.now, instance_key=instance))

    def instance(self, key: int) -> Instance:
        state = self.states[key]
        assert isinstance(state, Instance)
        return state

    def waiting(self, key: int) -> list[str]:
        """Ids of the active elements of an instance, sorted, without the scopes."""
        elements = self.instance(key).whole().elements
        return sorted(e.element for e in elements.values() if not e.children and e.key != key)

    def path(self, kind: str = "completed") -> list[str]:
        """Ids of the elements in the order in which they completed."""
        return [e.element_id for e in self.records(effects.ElementRecord) if e.kind == kind]

    def records(self, type: type[Any]) -> Iterator[Any]:
        return (effect for effect in self.seen if isinstance(effect, type))

    def values(self, key: int) -> dict[str, Any]:
        """The outermost variables of an instance, active or over."""
        if key in self.ended:
            return self.ended[key].variables
        root = self.instance(key).root
        return root.variables.data if root.variables is not None else {}

    def nothing_left(self) -> bool:
        """No state, job, timer, task, incident or subscription is left behind."""
        return not (
            self.states
            or self.jobs
            or self.timers
            or self.tasks
            or self.incidents
            or self.signals
            or self.outbox
        )


def check(state: Instance) -> None:
    """What is always true of an instance's state."""
    whole = state.whole()
    assert len(whole.elements) == len(state.elements) + sum(
        len(p.parked.elements) for p in state.pages.values()
    )
    for found in whole.elements.values():
        inside = [other for other in whole.elements.values() if other.scope == found.key]
        assert found.children == len(inside), f"{found.element} counts {found.children} children"
        assert found.key == state.key or found.scope in whole.elements
        assert state.find(found.key) is found
    waited: dict[int, int] = {}
    for found in whole.elements.values():
        if found.compensation is not None and found.compensation.thrower:
            waited[found.compensation.thrower] = waited.get(found.compensation.thrower, 0) + 1
    for found in whole.elements.values():
        if found.compensation is not None:
            assert found.compensation.awaits == waited.get(found.key, 0), f"{found.element} awaits others"
    heeded = {
        (wait.key, found.key)
        for found in whole.elements.values()
        for wait in found.waits or ()
        if wait.condition
    }
    watched = {pair for watching in state.watched.values() for pair in watching.items()}
    assert watched <= heeded, "a condition is watched that nobody waits for"
    assert all(state.watched.values())
    for key, owner in whole.owners.items():
        holder = whole.elements[owner]
        held = [wait.key for wait in holder.waits or ()]
        held += [part.key for part in (holder.job, holder.task, holder.incident) if part is not None]
        assert key in held
