"""What may start or reach many instances at once: signals from callers, and start events with conditions."""

from __future__ import annotations

from towpath.engine import condition_starts
from towpath.engine.commands import CreateInstance
from towpath.engine.effects import Broadcast
from towpath.process.base import Base, carried_out, check_tenant, missing, parse_key
from towpath.process.batch import Work
from towpath.process.signals import broadcast
from towpath.process.values import variables
from towpath.wire import (
    BroadcastedSignal,
    BroadcastSignal,
    EvaluateConditionals,
    EvaluatedConditionals,
    ProcessError,
    StartedProcessInstance,
    Variables,
)


class Broadcasting(Base):
    async def broadcast_signal(
        self, signal: BroadcastSignal, *, actor: str | None = None
    ) -> BroadcastedSignal:
        """Answers once the signal is kept; where very many wait for it, some hear of it a little later."""
        check_tenant(signal.tenant_id)
        given = variables(signal.variables)
        if not signal.signal_name:
            raise ProcessError("INVALID_ARGUMENT", "signalName is needed.")

        def throw(work: Work) -> int:
            made = Broadcast(key=work.key(), signal_name=signal.signal_name, variables=given)
            broadcast(work, made, at=work.now, actor=actor, told=True)
            return made.key

        return BroadcastedSignal(signal_key=str(await self.host.run(throw)))

    async def evaluate_conditionals(
        self, wanted: EvaluateConditionals, *, actor: str | None = None
    ) -> EvaluatedConditionals:
        """Start an instance for every conditional start event whose condition is true of the variables.

        Of the latest version of every process, or of one definition. Raises ProcessError NOT_FOUND where
        that does not exist, and INVALID_ARGUMENT where a condition is neither true nor false: then nothing
        is started.
        """
        check_tenant(wanted.tenant_id)
        given = variables(wanted.variables)
        definition_key: int | None = None
        if wanted.process_definition_key is not None:
            definition_key = parse_key(wanted.process_definition_key, "process definition")
            if self.registry.process(definition_key) is None:
                raise missing("process definition", wanted.process_definition_key)

        def evaluate(work: Work) -> EvaluatedConditionals:
            keys = self.registry.condition_starts() if definition_key is None else [definition_key]
            due = [(key, element) for key in keys for element in self._due(key, given, work.now)]
            return EvaluatedConditionals(
                conditional_evaluation_key=str(work.key()),
                process_instances=[_start(work, key, element, given, actor) for key, element in due],
            )

        return await self.host.run(evaluate)

    def _due(self, definition_key: int, given: Variables, at: int) -> list[str]:
        """Ids of the definition's start events whose conditions are true."""
        process = self.registry.process(definition_key)
        assert process is not None
        try:
            return condition_starts(process.graph, given, at)
        except ValueError as error:
            raise ProcessError("INVALID_ARGUMENT", f"The process {process.process_id!r}: {error}") from None


def _start(
    work: Work, definition_key: int, element_id: str, given: Variables, actor: str | None
) -> StartedProcessInstance:
    key = work.key()
    carried_out(
        work,
        CreateInstance(
            id=work.command_id(),
            at=work.now,
            actor=actor,
            instance_key=key,
            definition_key=definition_key,
            start_element=element_id,
            variables=given,
        ),
    )
    return StartedProcessInstance(process_definition_key=str(definition_key), process_instance_key=str(key))
