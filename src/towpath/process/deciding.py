"""Decisions evaluated for a caller."""

from __future__ import annotations

import asyncio

from towpath import feel
from towpath.engine.models import DeployedDecision
from towpath.process.base import Base, check_tenant, missing, parse_key
from towpath.process.batch import Work
from towpath.process.models import DECISION
from towpath.process.values import from_json, to_json, to_text, variables
from towpath.storage.tables import DECISION_INSTANCE
from towpath.wire import EvaluatedDecision, EvaluateDecision, ProcessError


class Deciding(Base):
    async def evaluate_decision(self, request: EvaluateDecision) -> EvaluatedDecision:
        """Evaluate a deployed decision; the evaluation is kept with its audit.

        A decision that fails is answered with ``failure_message``. Raises ProcessError NOT_FOUND or
        INVALID_ARGUMENT.
        """
        check_tenant(request.tenant_id)
        given = variables(request.variables)
        decision = await asyncio.to_thread(self._decision, request)
        definition = self.registry.definitions[decision.key]
        now = self.clock.now()
        try:
            # On a thread: an evaluation may be long, and everybody else goes on.
            evaluation = await asyncio.to_thread(
                decision.model.evaluate, decision.decision_id, given, now=now
            )
        except feel.FeelError as error:
            raise ProcessError("INVALID_ARGUMENT", f"The decision could not be evaluated: {error}") from None
        failed = bool(evaluation.failed)
        output = from_json(to_json(evaluation.output))
        message = str(evaluation.message or "") or None

        def keep(work: Work) -> int:
            key = work.key()
            work.changes.row(
                DECISION_INSTANCE,
                key,
                [
                    work.b,
                    key,
                    decision.decision_id,
                    decision.key,
                    None,
                    None,
                    None,
                    None,
                    "FAILED" if failed else "EVALUATED",
                    now,
                    to_text(output),
                    to_text(evaluation.audit),
                    message,
                ],
            )
            return key

        key = await self.host.run(keep)
        return EvaluatedDecision(
            decision_definition_id=decision.decision_id,
            decision_definition_key=str(decision.key),
            decision_definition_name=definition.name,
            decision_definition_version=decision.version,
            output=output,
            audit=from_json(to_json(evaluation.audit)),
            decision_instance_key=str(key),
            failed_decision_definition_id=decision.decision_id if failed else None,
            failure_message=message,
        )

    def _decision(self, request: EvaluateDecision) -> DeployedDecision:
        if request.decision_definition_key:
            key = parse_key(request.decision_definition_key, "decision definition")
        elif request.decision_definition_id:
            definition = self.registry.latest(DECISION, request.decision_definition_id)
            if definition is None:
                raise ProcessError(
                    "NOT_FOUND", f"No decision with the id {request.decision_definition_id!r} is deployed."
                )
            key = definition.key
        else:
            raise ProcessError("INVALID_ARGUMENT", "decisionDefinitionId or decisionDefinitionKey is needed.")
        found = self.registry.decision(key)
        if found is None:
            raise missing("decision definition", key)
        return found
