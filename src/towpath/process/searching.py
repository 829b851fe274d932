"""What callers look at: searches and single things."""

from __future__ import annotations

import asyncio
from typing import Any

from towpath.process import catalog
from towpath.process import entities as e
from towpath.process.base import Base, missing, parse_key
from towpath.process.models import FORM, PROCESS, Definition
from towpath.process.values import from_json
from towpath.storage.store import Session
from towpath.wire import (
    DecisionInstance,
    ElementInstance,
    Form,
    Incident,
    JobRow,
    MessageSubscription,
    ProcessDefinition,
    ProcessInstance,
    Search,
    SearchResult,
    UserTask,
    Variable,
    Variables,
)


class Searching(Base):
    """Every search sees what was answered before it began."""

    # --- definitions and forms -------------------------------------------------------------------

    async def search_process_definitions(self, search: Search) -> SearchResult[ProcessDefinition]:
        only = Search(filter={**search.filter, catalog.KIND: PROCESS}, sort=search.sort, page=search.page)
        return await self.find(catalog.PROCESS_DEFINITION, catalog.process_definition, only)

    async def process_definition(self, key: str) -> ProcessDefinition:
        definition = self._process(key)
        found = await self.search_process_definitions(Search(filter={"processDefinitionKey": definition.key}))
        return found.items[0]

    async def process_definition_xml(self, key: str) -> str:
        content = await asyncio.to_thread(self.registry.content, self._process(key).key)
        if content is None:
            raise missing("process definition", key)
        return content.decode(errors="replace")

    async def start_form(self, process_definition_key: str) -> Form | None:
        definition = self._process(process_definition_key)
        deployed = await asyncio.to_thread(self.registry.process, definition.key)
        if deployed is None or not deployed.graph.start_form:
            return None
        return await self.form(deployed.graph.start_form)

    async def form(self, form_id: str) -> Form | None:
        """The latest version of a form."""
        definition = self.registry.latest(FORM, form_id)
        return None if definition is None else await self._form(definition)

    async def form_by_key(self, key: str) -> Form:
        definition = self.registry.definitions.get(parse_key(key, "form"))
        if definition is None or definition.kind != FORM:
            raise missing("form", key)
        return await self._form(definition)

    async def _form(self, definition: Definition) -> Form:
        content = await asyncio.to_thread(self.registry.content, definition.key)
        return Form(
            form_key=str(definition.key),
            form_id=definition.id,
            version=definition.version,
            schema=(content or b"").decode(errors="replace"),
        )

    def _process(self, key: str) -> Definition:
        definition = self.registry.definitions.get(parse_key(key, "process definition"))
        if definition is None or definition.kind != PROCESS:
            raise missing("process definition", key)
        return definition

    # --- instances -------------------------------------------------------------------------------

    async def process_instance(self, key: str) -> ProcessInstance:
        found: ProcessInstance = await self.get(
            e.PROCESS_INSTANCE, e.process_instance, "processInstanceKey", key, "process instance"
        )
        return found

    async def search_process_instances(self, search: Search) -> SearchResult[ProcessInstance]:
        return await self.find(e.PROCESS_INSTANCE, e.process_instance, search)

    async def element_instance(self, key: str) -> ElementInstance:
        found: ElementInstance = await self.get(
            e.ELEMENT_INSTANCE, e.element_instance, "elementInstanceKey", key, "element instance"
        )
        return found

    async def search_element_instances(self, search: Search) -> SearchResult[ElementInstance]:
        return await self.find(e.ELEMENT_INSTANCE, e.element_instance, search)

    async def search_variables(self, search: Search) -> SearchResult[Variable]:
        return await self.find(e.VARIABLE, e.variable, search)

    async def variable(self, key: str) -> Variable:
        found: Variable = await self.get(e.VARIABLE, e.variable, "variableKey", key, "variable")
        return found

    async def sequence_flows(self, process_instance_key: str) -> list[str]:
        """Ids of the flows taken, each once."""
        key = parse_key(process_instance_key, "process instance")
        await self.process_instance(process_instance_key)
        rows = await self.host.read(
            lambda session: session.rows(
                "SELECT flow_id FROM flow WHERE b = ? AND instance_key = ? ORDER BY at, flow_id",
                (self._buckets[0], key),
            )
        )
        return [row[0] for row in rows]

    async def search_incidents(self, search: Search) -> SearchResult[Incident]:
        return await self.find(e.INCIDENT, e.incident, search)

    async def incident(self, key: str) -> Incident:
        found: Incident = await self.get(e.INCIDENT, e.incident, "incidentKey", key, "incident")
        return found

    async def search_jobs(self, search: Search) -> SearchResult[JobRow]:
        return await self.find(e.JOB, e.job, search)

    async def search_message_subscriptions(self, search: Search) -> SearchResult[MessageSubscription]:
        return await self.find(e.SUBSCRIPTION, e.subscription, search)

    async def search_decision_instances(self, search: Search) -> SearchResult[DecisionInstance]:
        return await self.find(catalog.DECISION_INSTANCE, catalog.decision_instance, search)

    async def decision_instance(self, key: str) -> DecisionInstance:
        found: DecisionInstance = await self.get(
            catalog.DECISION_INSTANCE,
            catalog.decision_instance,
            "decisionInstanceKey",
            key,
            "decision instance",
        )
        return found

    # --- user tasks ------------------------------------------------------------------------------

    async def user_task(self, key: str) -> UserTask:
        found: UserTask = await self.get(e.USER_TASK, e.user_task, "userTaskKey", key, "user task")
        return found

    async def search_user_tasks(self, search: Search) -> SearchResult[UserTask]:
        return await self.find(e.USER_TASK, e.user_task, search)

    async def user_task_form(self, key: str) -> Form | None:
        task = await self.user_task(key)
        return None if task.form_key is None else await self.form_by_key(task.form_key)

    async def user_task_variables(self, key: str) -> Variables:
        """All variables visible from the task: the inner scope's hide those further out."""
        return {one.name: from_json(one.value) for one in await self.visible_variables(key)}

    async def visible_variables(self, key: str, *, every: bool = False) -> list[Variable]:
        """Variables of the task's scopes; unless ``every``, only the innermost of each name."""
        task = await self.user_task(key)
        instance, scope = int(task.process_instance_key), int(task.element_instance_key)

        def look(session: Session) -> list[Any]:
            b = self._buckets[0]
            scopes = {
                row[0]: row[1]
                for row in session.rows(
                    "SELECT key, scope_key FROM element_instance WHERE b = ? AND instance_key = ?",
                    (b, instance),
                )
            }
            chain = [scope]
            while chain[-1] in scopes and scopes[chain[-1]] not in (0, chain[-1]):
                chain.append(scopes[chain[-1]])
            if chain[-1] != instance:
                chain.append(instance)
            columns = ", ".join(e.VARIABLE.columns)
            found: list[Any] = []
            for one in chain:
                found += session.rows(
                    f"SELECT {columns} FROM variable t WHERE t.b = ? AND t.scope_key = ? ORDER BY t.name",  # noqa: S608
                    (b, one),
                )
            return found

        rows = await self.host.read(look)
        kept: dict[Any, Variable] = {}
        for row in rows:
            one = e.variable(self.registry, row)
            kept.setdefault(one.variable_key if every else one.name, one)
        return list(kept.values())
