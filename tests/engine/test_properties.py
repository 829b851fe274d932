"""Random structured processes, driven in random order, with every contract of a step checked on the way.

The host of these tests repeats each command, steps twice, and sends states through their snapshots.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from towpath.engine import Instance, decode, effects, encode, step
from towpath.engine import commands as c

from .host import Host, NoKeys
from .models import (
    CANCEL,
    TERMINATE,
    boundary,
    bpmn,
    call,
    catch,
    compensation,
    condition,
    cycle,
    definitions,
    duration,
    each,
    element,
    end,
    error,
    error_definition,
    escalation,
    escalation_definition,
    event_sub,
    exclusive,
    flow,
    flows,
    listeners,
    message,
    message_definition,
    parallel,
    process,
    script,
    service,
    service_for_each,
    signal,
    signal_definition,
    start,
    sub,
    throw,
    transaction,
    undone,
    user,
)

CHILD = process(start("cs"), service("cw"), end("ce"), flows("cs", "cw", "ce"), id="child")
LOUD = process(
    start("ls"),
    throw("lt", escalation("S")),
    service("lw"),
    end("le"),
    flows("ls", "lt", "lw", "le"),
    id="loud",
)
GLOBALS = (
    message_definition("go")
    + message_definition("stop")
    + error_definition("E")
    + escalation_definition("S")
    + signal_definition("tick")  # broadcast while somebody waits for it
    + signal_definition("tock")  # only thrown by the processes themselves: it interrupts nobody
)


@dataclass
class Builder:
    """Writes blocks with one way in and one way out, and counts them for their ids."""

    parts: list[str] = field(default_factory=list)
    count: int = 0
    repeated: bool = False  # inside a multi-instance: one in another would make too many instances

    def id(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def block(self, shape: Any) -> tuple[str, str]:
        """The ids of the first and the last element of a block."""
        kind, inner = shape
        return getattr(self, f"_{kind}")(inner)

    def _leaf(self, kind: str) -> tuple[str, str]:
        id = self.id(kind)
        made = {
            "service": lambda: service(id),
            "user": lambda: user(id),
            "asked": lambda: user(
                id,
                zeebe=listeners(
                    f"creating:{id}-n", f"assigning:{id}-a", f"completing:{id}-c", tag="taskListener"
                )
                + '<zeebe:assignmentDefinition assignee="ada"/>',
            ),
            "noted": lambda: service(id, zeebe=listeners(f"start:{id}-s", f"end:{id}-e")),
            "task": lambda: element("task", id),
            "script": lambda: script(id, "=1 + 1", id),
            "timer": lambda: catch(id, duration("PT1M")),
            "message": lambda: catch(id, message("go")),
            "call": lambda: call(id, "child"),
            "loud": lambda: call(id, "loud"),
            "escalate": lambda: throw(id, escalation("S")),
            "until": lambda: catch(id, condition("=flag")),
            "raise": lambda: script(id, "=true", "flag"),
            "lower": lambda: script(id, "=false", "flag"),
            "hark": lambda: catch(id, signal("tick")),
            "shout": lambda: throw(id, signal("tick")),
            "whisper": lambda: throw(id, signal("tock")),
            "undoable": lambda: service(id) + undone(id, service(f"{id}-u")),
            "revisable": lambda: service_for_each(id, each("=[1, 2]")) + undone(id, user(f"{id}-u")),
            "compensate": lambda: throw(id, compensation()),
            "forget": lambda: throw(id, compensation(waitForCompletion="false")),
            "many": lambda: service_for_each(
                id, each("=[1, 2, 3]", outputCollection="o", outputElement="=item")
            ),
            "series": lambda: service_for_each(id, each("=[1, 2]", sequential=True)),
        }
        self.parts.append(made[kind]())
        return id, id

    def _sequence(self, shapes: list[Any]) -> tuple[str, str]:
        ends = [self.block(shape) for shape in shapes]
        for (_, left), (right, _) in pairwise(ends):
            self.parts.append(flow(left, right))
        return ends[0][0], ends[-1][1]

    def _saga(self, shapes: list[Any]) -> tuple[str, str]:
        """Blocks that can be undone at both ends, and a throw event that does; a second one finds nothing."""
        leaf = [("leaf", "undoable")]
        throws = [("leaf", "compensate"), ("leaf", "compensate")]
        return self._sequence([("sub", ("plain", True, leaf[0])), *shapes, *leaf, *throws])

    def _split(self, kind: str, shapes: list[Any]) -> tuple[str, str]:
        fork, join = self.id("fork"), self.id("join")
        for index, shape in enumerate(shapes):
            first, last = self.block(shape)
            condition = None if kind == "parallel" or index == 0 else f"=choice >= {index}"
            self.parts.append(flow(fork, first, condition))
            self.parts.append(flow(last, join))
            if index == 0:
                default = f"{fork}-{first}"
        if kind == "parallel":
            self.parts += [parallel(fork), parallel(join)]
        elif kind == "exclusive":
            self.parts += [exclusive(fork, default), exclusive(join)]
        else:
            self.parts += [
                element("inclusiveGateway", fork, default=default),
                element("inclusiveGateway", join),
            ]
        return fork, join

    def _parallel(self, shapes: list[Any]) -> tuple[str, str]:
        return self._split("parallel", shapes)

    def _exclusive(self, shapes: list[Any]) -> tuple[str, str]:
        return self._split("exclusive", shapes)

    def _inclusive(self, shapes: list[Any]) -> tuple[str, str]:
        return self._split("inclusive", shapes)

    def _sub(self, inner: tuple[str, bool, Any]) -> tuple[str, str]:
        """A sub-process, maybe for each of two, with a boundary event or event sub-process: ``watch``."""
        watch, often, shape = inner
        repeated, before = often and not self.repeated, self.repeated
        self.repeated = repeated or before
        outside, self.parts = self.parts, []
        id, begin, finish = self.id("sub"), self.id("s"), self.id("e")
        first, last = self.block(shape)
        self.repeated = before
        stop = {"terminate": TERMINATE, "error": error("E"), "cancel": CANCEL}.get(watch, "")
        self.parts += [start(begin), end(finish, stop), flow(begin, first), flow(last, finish)]
        events = {
            "aside": (duration("PT2M"), "false"),
            "instead": (duration("PT2M"), "true"),
            "hear": (escalation("S"), "false"),
            "obey": (escalation("S"), "true"),
            "listen": (signal("tock"), "false"),
            "heed": (signal("tick"), "true"),
            "notice": (condition("=flag"), "false"),
            "yield": (condition("=flag"), "true"),
            "undo": (compensation(), "true"),
            "withdraw": (duration("PT2M"), "true"),
        }
        if watch in events:
            es, ew = self.id("es"), self.id("ew")
            what, interrupts = events[watch]
            self.parts.append(
                event_sub(
                    self.id("esp"),
                    start(es, what, isInterrupting=interrupts),
                    service(ew),
                    end(f"{es}-e", compensation() if watch == "withdraw" else ""),
                    flows(es, ew, f"{es}-e"),
                )
            )
        inside, self.parts = self.parts, outside
        loop = each("=[1, 2]", sequential=watch == "told") if repeated else ""
        noted = listeners(f"start:{id}-s", f"end:{id}-e") if watch in NOTED else ""
        self.parts.append((transaction if watch == "cancel" else sub)(id, loop, *inside, zeebe=noted))
        if watch in ("plain", "terminate", *events):
            return id, id
        merge, caught = self.id("merge"), self.id("b")
        trigger = {
            "error": error("E"),
            "cancel": CANCEL,
            "timer": duration("PT3M"),
            "cycle": cycle("R2/PT1M"),
            "stop": message("stop"),
            "told": escalation("S"),
            "stopped": escalation(),
            "noticed": condition("=flag"),
            "yielded": condition("=flag"),
            "heard": signal("tock"),
            "alarmed": signal("tick"),
        }[watch]
        aside = watch in ("cycle", "told", "heard", "noticed")
        self.parts.append(boundary(caught, id, trigger, interrupting=not aside))
        if aside:
            self.parts += [end(merge), flow(caught, merge)]
            return id, id
        self.parts += [exclusive(merge), flow(id, merge), flow(caught, merge)]
        return id, merge


SIMPLE = ["service", "user", "task", "script", "timer", "message", "call", "many", "series"]
TRAVELLING = ["loud", "escalate", "undoable", "revisable", "compensate", "forget", "noted", "asked"]
SIGNALS = ["hark", "shout", "whisper"]
CHANGES = ["until", "raise", "lower"]
LEAVES = st.tuples(st.just("leaf"), st.sampled_from(SIMPLE + TRAVELLING + SIGNALS + CHANGES))
ENDING = ["plain", "terminate", "aside", "instead", "error", "timer", "cycle", "stop"]
ALARMS = ["listen", "heed", "heard", "alarmed"]
CONDITIONS = ["notice", "yield", "noticed", "yielded"]
CAUGHT = ["hear", "obey", "told", "stopped", "undo", "withdraw", "cancel"]
NOTED = ["aside", "instead", "timer", "cancel"]  # what has listeners, too
WATCHES = st.sampled_from(ENDING + CAUGHT + ALARMS + CONDITIONS)
SHAPES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(
            st.sampled_from(["sequence", "parallel", "exclusive", "inclusive", "saga"]),
            st.lists(inner, min_size=2, max_size=3),
        ),
        st.tuples(st.just("sub"), st.tuples(WATCHES, st.booleans(), inner)),
    ),
    max_leaves=8,
)


def model(shape: Any) -> bytes:
    builder = Builder()
    first, last = builder.block(shape)
    whole = process(start("begin"), *builder.parts, end("finish"), flow("begin", first), flow(last, "finish"))
    return definitions(whole, CHILD, LOUD, GLOBALS)


def actions(host: Host) -> list[tuple[str, Any]]:
    """Everything that could happen next, in a stable order."""
    found: list[tuple[str, Any]] = [("complete", key) for key in sorted(host.jobs)]
    found += [("task", key) for key in sorted(host.tasks)]
    found += [("timer", (due, key)) for key, (due, _) in sorted(host.timers.items())]
    names = sorted({place for place, state in host.states.items() if isinstance(place, tuple)})
    found += [("message", name) for name in names]
    for place, state in sorted(host.states.items(), key=str):
        if isinstance(place, int) and isinstance(state, Instance) and "flag" in state.watched:
            variables = state.root.variables
            if variables is None or variables.data.get("flag") is not True:
                found.append(("flag", place))
    if any(name == "tick" for name, _ in host.signals.values()):
        found.append(("signal", "tick"))
    return found


def act(host: Host, action: tuple[str, Any]) -> None:
    kind, what = action
    if kind == "complete":
        host.complete(what, {} if host.jobs[what].kind == "TASK_LISTENER" else {"done": what})
    elif kind == "task":
        instance = host.tasks[what][1]
        host.send(c.CompleteUserTask(id=host.id(), at=host.now, instance_key=instance, task_key=what))
    elif kind == "timer":
        due, key = what
        host.now = max(host.now, due)
        host.fire(key)
    elif kind == "flag":
        host.set(what, {"flag": True})
    elif kind == "signal":
        host.broadcast(what)
    else:
        name, correlation_key = what
        host.publish(name, correlation_key)


NEAR = st.sampled_from((1, 3, 256))  # how many element instances a state may have outside its pages
THOROUGH = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(SHAPES, st.data())
@THOROUGH
def test_every_instance_reaches_its_end_and_leaves_nothing_behind(shape: Any, data: st.DataObject) -> None:
    host = Host(model(shape), near=data.draw(NEAR))
    key = host.start({"key": "k", "choice": data.draw(st.integers(0, 3))})
    for _ in range(300):
        possible = actions(host)
        if not possible:
            break
        act(host, data.draw(st.sampled_from(possible)))
    assert host.incidents == {}
    assert key in host.ended, f"still waiting at {host.waiting(key)}"
    assert not host.ended[key].terminated
    assert host.nothing_left()
    undone_at_most_once(host)


def undone_at_most_once(host: Host) -> None:
    """A handler (``x-u`` for ``x``) began at most as often as what it undoes had completed by then."""
    completed: Counter[str] = Counter()
    begun: Counter[str] = Counter()
    for record in host.records(effects.ElementRecord):
        whole = record.type == "MULTI_INSTANCE_BODY" or not record.element_id.startswith("revisable")
        if record.kind == "completed" and whole:
            completed[record.element_id] += 1
        elif record.kind == "activated" and record.element_id.endswith("-u"):
            begun[record.element_id] += 1
            assert begun[record.element_id] <= completed[record.element_id.removesuffix("-u")]


@given(SHAPES, st.integers(0, 6), st.data())
@THOROUGH
def test_an_instance_can_be_canceled_at_any_time(shape: Any, moves: int, data: st.DataObject) -> None:
    host = Host(model(shape), near=data.draw(NEAR))
    key = host.start({"key": "k", "choice": 1})
    for _ in range(moves):
        possible = actions(host)
        if possible:
            act(host, data.draw(st.sampled_from(possible)))
    if key not in host.ended:
        assert host.cancel(key) is None
        assert host.ended[key].terminated
    assert host.nothing_left()


@given(SHAPES, st.data())
@THOROUGH
def test_a_stale_command_changes_nothing_however_late_it_comes(shape: Any, data: st.DataObject) -> None:
    host = Host(model(shape), near=data.draw(NEAR))
    sent: list[Any] = []
    carry_out = host.one

    def note(command: Any) -> Any:
        rejected = carry_out(command)
        if rejected is None:  # one that came too early may well be carried out later
            sent.append(command)
        return rejected

    host.one = note  # type: ignore[method-assign]
    host.start({"key": "k", "choice": 2})
    for _ in range(12):
        possible = actions(host)
        if not possible:
            break
        act(host, data.draw(st.sampled_from(possible)))
        late = data.draw(st.sampled_from(sent))
        state = host.states.get(host.place(late))
        if isinstance(late, c.CreateInstance | c.PublishMessage | c.Subscribe | c.Continue) or state is None:
            continue  # a new instance, message or subscription is a new thing: the host knows its key
        text = encode(state)
        outcome = step(host, state, late, NoKeys())
        assert outcome.state is state
        assert encode(state) == text
        assert all(isinstance(getattr(e, "command", None), c.TriggerRefused) for e in outcome.effects)


@given(SHAPES, st.data())
@THOROUGH
def test_errors_and_failures_leave_an_instance_that_can_go_on_or_be_canceled(
    shape: Any, data: st.DataObject
) -> None:
    host = Host(model(shape), near=data.draw(NEAR))
    key = host.start({"key": "k", "choice": 3})
    for _ in range(40):
        if host.incidents and data.draw(st.booleans()):
            host.resolve()
            continue
        free = [j for j in sorted(host.jobs) if j not in {i.job_key for i, _ in host.incidents.values()}]
        if not free:
            break
        job = data.draw(st.sampled_from(free))
        instance = host.job_instance[job]
        common: dict[str, Any] = {"id": host.id(), "at": host.now, "instance_key": instance, "job_key": job}
        match data.draw(st.sampled_from(["complete", "fail", "retry", "E", "other"])):
            case "complete":
                host.complete(job)
            case "fail":
                host.send(c.FailJob(**common, retries=0))
            case "retry":
                host.send(c.FailJob(**common, retries=1, variables={"x": 1}))
            case code:
                host.send(c.ThrowJobError(**common, code=code, variables={"y": 2}))
    if key not in host.ended:
        assert host.cancel(key) is None
    assert host.nothing_left()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
VARIABLES = st.dictionaries(st.sampled_from(["key", "choice", "item", "done", "x", ""]), JSON, max_size=3)


KINDS = [*get_args(c.InstanceCommand), *get_args(c.ChannelCommand)]


def any_command(host: Host, instance: int, kind: type[Any]) -> st.SearchStrategy[Any]:
    """Well-typed commands of a kind: about what is there, and about what is not."""
    state = host.states.get(instance)
    known = [instance, 0, -1, 2**63]
    if state is not None:
        known += [*host.instance(instance).elements, *host.instance(instance).owners]
    keys, text = st.sampled_from(known), st.sampled_from(["", "E", "go", "k", "begin", "finish"])
    values = {
        "int": keys,
        "str": text,
        "bool": st.booleans(),
        "Variables": VARIABLES,
        "int | None": st.none() | keys,
        "str | None": st.none() | text,
        "Parent | None": st.none(),
        "dict[str, Any]": st.dictionaries(
            st.sampled_from(["priority", "dueDate", "candidateGroups", "other"]), JSON, max_size=2
        ),
    }
    fields = {name: values[text] for name, text in kind_fields(kind).items() if text in values}
    return st.builds(kind, **{**fields, "id": st.uuids().map(str), "at": st.just(host.now)})


def kind_fields(kind: type[Any]) -> dict[str, str]:
    """Field -> its annotation as written, base classes first."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        found.update(getattr(base, "__annotations__", {}))
    return found


@given(SHAPES, st.data())
@THOROUGH
def test_any_well_typed_command_is_answered(shape: Any, data: st.DataObject) -> None:
    host = Host(model(shape), near=data.draw(NEAR))
    key = host.start({"key": "k", "choice": 0})
    host.hold = True
    for _ in range(8):
        command = data.draw(any_command(host, key, data.draw(st.sampled_from(KINDS))))
        state = host.states.get(host.place(command))
        text = encode(state) if state is not None else b""
        outcome = step(host, state, command, host.keys)
        assert outcome.rejected is None or outcome.rejected.type != "internal", outcome.rejected
        assert (encode(state) if state is not None else b"") == text
        if outcome.state is not None:
            encode(outcome.state)
        if outcome.state is not None and not isinstance(command, c.CreateInstance):
            host.states[host.place(command)] = outcome.state


@given(st.binary(max_size=200))
def test_a_snapshot_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises((ValueError, msgspec.MsgspecError)):
        decode(data)


def test_a_snapshot_of_a_later_version_is_refused() -> None:
    host = Host(bpmn(start(), service("work"), flows("start", "work")))
    text = encode(host.instance(host.start()))
    assert decode(text) == host.instance(next(iter(host.states)))
    with pytest.raises(ValueError, match="schema version 200"):
        decode(bytes((200,)) + text[1:])
