"""What callers change: instances, variables, jobs, messages, user tasks, incidents."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

import msgspec

from towpath.engine import commands as c
from towpath.engine.effects import MessageRecord
from towpath.process.base import Base, carried_out, check_tenant, missing, parse_key
from towpath.process.batch import Ended, Work
from towpath.process.jobs import ActivatedJob, JobRequest
from towpath.process.models import PROCESS, Definition
from towpath.process.values import from_json, to_json, variables
from towpath.storage.search import SearchError, parse_time
from towpath.storage.tables import AMEND_JOB, MOVE_JOB_DEADLINE
from towpath.wire import (
    UNSPECIFIED,
    ActivateJobs,
    CorrelatedMessage,
    CorrelateMessage,
    CreatedProcessInstance,
    CreateProcessInstance,
    Job,
    JobError,
    JobFailure,
    JobResult,
    ProcessError,
    PublishedMessage,
    PublishMessage,
    UserTaskChange,
    Variables,
)

MAX_JOBS = 1_000  # jobs of one activation
MAX_ID = 256  # characters of a business id or message id
MAX_TIMEOUT = 365 * 24 * 3_600_000  # ms that a job may be locked

T = TypeVar("T")


class AlreadyExists(ProcessError):
    """A business id is taken; ``existing_key`` is the instance that has it."""

    def __init__(self, detail: str, existing_key: str) -> None:
        super().__init__("ALREADY_EXISTS", detail)
        self.existing_key = existing_key


class Changes(Base):
    """Every call answers once its work is committed."""

    # --- instances -----------------------------------------------------------------------------

    async def create_process_instance(
        self, request: CreateProcessInstance, *, actor: str | None = None
    ) -> CreatedProcessInstance:
        """Raises AlreadyExists where the business id is taken."""
        check_tenant(request.tenant_id)
        definition = self._definition(request)
        given = variables(request.variables)
        business_id = request.business_id or None
        if business_id is not None and len(business_id) > MAX_ID:
            raise ProcessError("INVALID_ARGUMENT", f"businessId is longer than {MAX_ID} characters.")
        ended: asyncio.Future[Ended] | None = None
        if request.await_completion:
            ended = asyncio.get_running_loop().create_future()

        def start(work: Work) -> int:
            key = work.key()
            if business_id is not None:
                holder = work.claim_business_id(definition.id, business_id, key)
                if holder is not None:
                    raise AlreadyExists(
                        f"The process {definition.id!r} has an instance with the business id "
                        f"{business_id!r} already: {holder}.",
                        str(holder),
                    )
            if ended is not None:
                work.watch(key, ended)
            carried_out(
                work,
                c.CreateInstance(
                    id=work.command_id(),
                    at=work.now,
                    actor=actor,
                    instance_key=key,
                    definition_key=definition.key,
                    variables=given,
                    business_id=business_id,
                ),
            )
            return key

        key = await self.host.run(start)
        created = CreatedProcessInstance(
            process_definition_id=definition.id,
            process_definition_key=str(definition.key),
            process_definition_version=definition.version,
            process_instance_key=str(key),
            business_id=business_id,
        )
        if ended is not None:
            created.variables = await _outcome(ended, key, request)
        return created

    def _definition(self, request: CreateProcessInstance) -> Definition:
        found: Definition | None
        if request.process_definition_key:
            key = parse_key(request.process_definition_key, "process definition")
            found = self.registry.definitions.get(key)
            if found is None or found.kind != PROCESS:
                raise missing("process definition", key)
            return found
        if not request.process_definition_id:
            raise ProcessError("INVALID_ARGUMENT", "processDefinitionId or processDefinitionKey is needed.")
        id_, version = request.process_definition_id, request.process_definition_version
        found = self.registry.version(PROCESS, id_, version)
        if found is None:
            tail = "" if version == -1 else f" in version {version}"
            raise ProcessError("NOT_FOUND", f"No process with the id {id_!r} is deployed{tail}.")
        return found

    async def cancel_process_instance(self, key: str, *, actor: str | None = None) -> None:
        number = parse_key(key, "process instance")

        def cancel(work: Work) -> None:
            carried_out(
                work,
                c.CancelInstance(id=work.command_id(), at=work.now, actor=actor, instance_key=number),
            )

        await self.host.run(cancel)

    async def set_variables(
        self, scope_key: str, variables: Variables, *, local: bool = False, actor: str | None = None
    ) -> None:
        scope = parse_key(scope_key, "element instance")
        given = _checked(variables)

        def change(work: Work) -> None:
            instance = _owner(work, "element_instance", scope)
            carried_out(
                work,
                c.SetVariables(
                    id=work.command_id(),
                    at=work.now,
                    actor=actor,
                    instance_key=scope if instance is None else instance,
                    scope_key=scope,
                    variables=given,
                    local=local,
                ),
            )

        await self.host.run(change)

    # --- jobs ----------------------------------------------------------------------------------

    async def activate_jobs(self, request: ActivateJobs) -> list[Job]:
        """Up to ``max_jobs_to_activate`` jobs; waits for a first one as long as ``request_timeout`` says."""
        if not request.type:
            raise ProcessError("INVALID_ARGUMENT", "type must name the type of the jobs.")
        if request.max_jobs_to_activate < 1:
            raise ProcessError("INVALID_ARGUMENT", "maxJobsToActivate must be at least 1.")
        if not 1 <= request.timeout <= MAX_TIMEOUT:
            raise ProcessError("INVALID_ARGUMENT", f"timeout must be between 1 and {MAX_TIMEOUT} ms.")
        for tenant in request.tenant_ids or ():
            check_tenant(tenant)
        asked = JobRequest(
            type=request.type,
            count=min(request.max_jobs_to_activate, MAX_JOBS),
            timeout=request.timeout,
            worker=request.worker,
            once=request.request_timeout < 0,
            future=asyncio.get_running_loop().create_future(),
        )
        if self.host.closing:
            # An empty answer would make a worker ask again at once, and again.
            raise ProcessError("UNAVAILABLE", "The process server is shutting down.")
        wait = (request.request_timeout or self.settings.long_poll) / 1000
        self.host.ask_for_jobs(asked)
        try:
            if asked.once:
                jobs = await asked.future
            else:
                async with asyncio.timeout(wait):
                    jobs = await asked.future
        except TimeoutError:
            if asked.future.cancelled():
                return []
            jobs = asked.future.result()  # they came in the very moment in which the wait was over
        except asyncio.CancelledError:
            self.host.take_back(asked)
            raise
        finally:
            self.host.desk.withdraw(asked)
        return [_job(job, request) for job in jobs]

    async def complete_job(
        self, key: str, variables: Variables | None = None, *, result: JobResult | None = None
    ) -> None:
        given = _checked(variables)
        said = _result(result) if result is not None else None
        await self._on_job(
            key,
            lambda work, instance, job, _: c.CompleteJob(
                id=work.command_id(),
                at=work.now,
                instance_key=instance,
                job_key=job,
                variables=given,
                result=said,
            ),
        )

    async def fail_job(self, key: str, failure: JobFailure) -> None:
        given = _checked(failure.variables)
        if (failure.retries is not None and failure.retries < 0) or failure.retry_back_off < 0:
            raise ProcessError("INVALID_ARGUMENT", "retries and retryBackOff must not be negative.")

        def fail(work: Work, instance: int, job: int, retries: int) -> c.FailJob:
            back_off = failure.retry_back_off
            return c.FailJob(
                id=work.command_id(),
                at=work.now,
                instance_key=instance,
                job_key=job,
                retries=max(0, retries - 1) if failure.retries is None else failure.retries,
                retry_at=work.now + back_off if back_off else None,
                message=failure.error_message,
                variables=given,
            )

        await self._on_job(key, fail)

    async def throw_job_error(self, key: str, error: JobError) -> None:
        given = _checked(error.variables)
        if not error.error_code:
            raise ProcessError("INVALID_ARGUMENT", "errorCode is needed.")
        await self._on_job(
            key,
            lambda work, instance, job, _: c.ThrowJobError(
                id=work.command_id(),
                at=work.now,
                instance_key=instance,
                job_key=job,
                code=error.error_code,
                message=error.error_message,
                variables=given,
            ),
        )

    async def update_job(self, key: str, *, retries: int | None = None, timeout: int | None = None) -> None:
        """``timeout`` in ms from now: how long its worker still has."""
        job = parse_key(key, "job")
        if retries is None and timeout is None:
            raise ProcessError("INVALID_ARGUMENT", "Either retries or timeout is needed.")
        if retries is not None and retries < 1:
            raise ProcessError("INVALID_ARGUMENT", "retries must be at least 1.")
        if timeout is not None and not 0 <= timeout <= MAX_TIMEOUT:
            raise ProcessError("INVALID_ARGUMENT", f"timeout must be between 0 and {MAX_TIMEOUT} ms.")

        def change(work: Work) -> None:
            found = work.session.job_instance(work.b, job)
            if found is None:
                raise missing("job", key)
            if retries is not None:
                carried_out(
                    work,
                    c.UpdateJobRetries(
                        id=work.command_id(),
                        at=work.now,
                        instance_key=found[0],
                        job_key=job,
                        retries=retries,
                    ),
                )
                work.changes.update(AMEND_JOB, retries, work.b, job)
            if timeout is not None:
                if found[3] is None:
                    raise ProcessError("INVALID_STATE", f"The job {key} is with no worker.")
                work.changes.update(MOVE_JOB_DEADLINE, work.now + timeout, work.b, job)
                work.told.due(work.now + timeout)

        await self.host.run(change)

    async def _on_job(self, key: str, make: Any) -> None:
        job = parse_key(key, "job")

        def act(work: Work) -> None:
            found = work.session.job_instance(work.b, job)
            if found is None:
                raise missing("job", key)
            carried_out(work, make(work, found[0], job, found[2]))

        await self.host.run(act)

    # --- messages ------------------------------------------------------------------------------

    async def publish_message(self, message: PublishMessage, *, actor: str | None = None) -> PublishedMessage:
        check_tenant(message.tenant_id)
        given = _checked(message.variables)
        if not message.name:
            raise ProcessError("INVALID_ARGUMENT", "name is needed.")
        if message.time_to_live < 0:
            raise ProcessError("INVALID_ARGUMENT", "timeToLive must not be negative.")

        def publish(work: Work) -> int:
            key = work.key()
            carried_out(
                work,
                c.PublishMessage(
                    id=work.command_id(),
                    at=work.now,
                    actor=actor,
                    name=message.name,
                    correlation_key=message.correlation_key,
                    message_key=key,
                    variables=given,
                    expires_at=work.now + message.time_to_live if message.time_to_live else None,
                    message_id=message.message_id or None,
                ),
            )
            return key

        return PublishedMessage(message_key=str(await self.host.run(publish)))

    async def correlate_message(
        self, message: CorrelateMessage, *, actor: str | None = None
    ) -> CorrelatedMessage:
        check_tenant(message.tenant_id)
        given = _checked(message.variables)
        if not message.name:
            raise ProcessError("INVALID_ARGUMENT", "name is needed.")

        def correlate(work: Work) -> tuple[int, int]:
            key = work.key()
            outcome = carried_out(
                work,
                c.PublishMessage(
                    id=work.command_id(),
                    at=work.now,
                    actor=actor,
                    name=message.name,
                    correlation_key=message.correlation_key,
                    message_key=key,
                    variables=given,
                    must_correlate=True,
                ),
            )
            for effect in outcome.effects:
                if isinstance(effect, MessageRecord) and effect.kind == "correlated":
                    return key, effect.instance_key or 0
            raise ProcessError("NOT_FOUND", f"Nothing waits for the message {message.name!r}.")

        message_key, instance_key = await self.host.run(correlate)
        return CorrelatedMessage(message_key=str(message_key), process_instance_key=str(instance_key))

    # --- user tasks ----------------------------------------------------------------------------

    async def assign_user_task(
        self, key: str, assignee: str, *, allow_override: bool = True, actor: str | None = None
    ) -> None:
        if not assignee:
            raise ProcessError("INVALID_ARGUMENT", "assignee is needed.")
        await self._assign(key, assignee, allow_override, actor)

    async def unassign_user_task(self, key: str, *, actor: str | None = None) -> None:
        await self._assign(key, None, True, actor)

    async def _assign(self, key: str, assignee: str | None, override: bool, actor: str | None) -> None:
        await self._on_task(
            key,
            lambda work, instance, task: c.AssignUserTask(
                id=work.command_id(),
                at=work.now,
                actor=actor,
                instance_key=instance,
                task_key=task,
                assignee=assignee,
                allow_override=override,
            ),
        )

    async def complete_user_task(
        self, key: str, variables: Variables | None = None, *, actor: str | None = None
    ) -> None:
        given = _checked(variables)
        await self._on_task(
            key,
            lambda work, instance, task: c.CompleteUserTask(
                id=work.command_id(),
                at=work.now,
                actor=actor,
                instance_key=instance,
                task_key=task,
                variables=given,
            ),
        )

    async def update_user_task(self, key: str, change: UserTaskChange, *, actor: str | None = None) -> None:
        changeset = _changeset(change)
        await self._on_task(
            key,
            lambda work, instance, task: c.UpdateUserTask(
                id=work.command_id(),
                at=work.now,
                actor=actor,
                instance_key=instance,
                task_key=task,
                changeset=changeset,
            ),
        )

    async def _on_task(self, key: str, make: Any) -> None:
        task = parse_key(key, "user task")

        def act(work: Work) -> None:
            instance = _owner(work, "user_task", task)
            if instance is None:
                raise missing("user task", key)
            carried_out(work, make(work, instance, task))

        await self.host.run(act)

    # --- incidents -----------------------------------------------------------------------------

    async def resolve_incident(self, key: str, *, actor: str | None = None) -> None:
        incident = parse_key(key, "incident")

        def resolve(work: Work) -> None:
            instance = _owner(work, "incident", incident)
            if instance is None:
                raise missing("incident", key)
            carried_out(
                work,
                c.ResolveIncident(
                    id=work.command_id(),
                    at=work.now,
                    actor=actor,
                    instance_key=instance,
                    incident_key=incident,
                ),
            )

        await self.host.run(resolve)


_checked = variables  # the calls have parameters of that name


def _owner(work: Work, table: str, key: int) -> int | None:
    """The instance that a row of ``table`` belongs to."""
    found = work.session.rows(
        f"SELECT instance_key FROM {table} WHERE b = ? AND key = ?",  # noqa: S608
        (work.b, key),
    )
    return found[0][0] if found else None


async def _outcome(ended: asyncio.Future[Ended], key: int, request: CreateProcessInstance) -> Variables:
    try:
        async with asyncio.timeout(max(0, request.request_timeout or 10_000) / 1000):
            outcome = await ended
    except TimeoutError:
        raise ProcessError(
            "DEADLINE_EXCEEDED", f"The instance {key} was started and has not completed in time."
        ) from None
    if outcome.terminated:
        raise ProcessError("INVALID_STATE", f"The instance {key} was terminated.")
    found: Variables = from_json(to_json(outcome.variables))
    return _only(found, request.fetch_variables)


def _only(found: Variables, names: list[str] | None) -> Variables:
    return {name: found[name] for name in names if name in found} if names else found


def _job(job: ActivatedJob, request: ActivateJobs) -> Job:
    row = job.row
    return Job(
        job_key=str(row.key),
        type=row.type,
        process_instance_key=str(row.instance_key),
        process_definition_id=row.process_id,
        process_definition_version=row.version,
        process_definition_key=str(row.definition_key),
        element_id=row.element_id,
        element_instance_key=str(row.element_instance_key),
        custom_headers=from_json(row.headers),
        worker=request.worker,
        retries=row.retries,
        deadline=row.available_at,
        kind=row.kind,
        listener_event_type=row.listener_event or UNSPECIFIED,
        variables=_only(from_json(job.variables), request.fetch_variable),
        business_id=row.business_id,
    )


def _result(result: JobResult) -> c.JobResult:
    found = msgspec.structs.asdict(result.corrections) if result.corrections is not None else {}
    names = {
        "assignee": "assignee",
        "candidate_groups": "candidateGroups",
        "candidate_users": "candidateUsers",
        "due_date": "dueDate",
        "follow_up_date": "followUpDate",
        "priority": "priority",
    }
    corrections = {names[name]: value for name, value in found.items() if value is not None}
    return c.JobResult(denied=result.denied, reason=result.denied_reason or "", corrections=corrections)


def _changeset(change: UserTaskChange) -> dict[str, Any]:
    found = {
        name: value for name, value in msgspec.structs.asdict(change).items() if value is not msgspec.UNSET
    }
    camel = {
        "candidate_groups": "candidateGroups",
        "candidate_users": "candidateUsers",
        "due_date": "dueDate",
        "follow_up_date": "followUpDate",
        "priority": "priority",
    }
    try:
        for name in ("due_date", "follow_up_date"):
            if found.get(name):
                found[name] = parse_time(found[name], camel[name])
            elif name in found:
                found[name] = None
    except SearchError as error:
        raise ProcessError("INVALID_ARGUMENT", str(error)) from None
    if not found:
        raise ProcessError("INVALID_ARGUMENT", "The change names nothing to change.")
    return {camel[name]: value for name, value in found.items()}
