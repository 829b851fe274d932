"""What was answered is there after ``kill -9``: a real server process, real load, a real kill."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.process.models import END, START, process, service, timer
from towpath.client import HttpProcessClient
from towpath.wire import ActivateJobs, CreateProcessInstance, EventQuery, Page, ProcessError, Search

RUNNER = Path(__file__).with_name("run_server.py")
LOCK = 1_500  # ms that a worker of these tests has for a job


@asynccontextmanager
async def running(state: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, HttpProcessClient]]:
    """A server in a process of its own; killed at the end if it still runs."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(RUNNER), str(state), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        url = (await child.stdout.readline()).decode().strip()
        async with HttpProcessClient(url) as client:
            yield child, client
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()


@pytest.mark.parametrize("moment", [0.15, 0.4])
async def test_a_kill_in_the_middle_of_load_loses_and_doubles_nothing(tmp_path: Path, moment: float) -> None:
    started: dict[str, str] = {}  # business id -> instance key, as answered
    completed: set[str] = set()  # keys of jobs whose completion was answered
    taken: set[str] = set()

    async def start(client: HttpProcessClient, starter: int) -> None:
        for i in range(1_000):
            business_id = f"B-{starter}-{i}"
            created = await client.create_process_instance(
                CreateProcessInstance(process_definition_id="claim", business_id=business_id)
            )
            started[business_id] = created.process_instance_key

    async def work(client: HttpProcessClient) -> None:
        while True:
            jobs = await client.activate_jobs(ActivateJobs(type="work", max_jobs_to_activate=5, timeout=LOCK))
            taken.update(job.job_key for job in jobs)
            for job in jobs:
                await client.complete_job(job.job_key, {"by": job.job_key})
                completed.add(job.job_key)

    async with running(tmp_path) as (child, client):
        await client.deploy([process("claim", START, service("work"), END)])
        load = [asyncio.create_task(start(client, starter)) for starter in range(6)]
        load += [asyncio.create_task(work(client)) for _ in range(2)]
        while len(completed) < 20:
            await asyncio.sleep(0.01)
        await asyncio.sleep(moment)
        child.send_signal(signal.SIGKILL)
        answers = await asyncio.gather(*load, return_exceptions=True)
        assert all(isinstance(answer, ProcessError) for answer in answers), answers

    async with running(tmp_path) as (_, client):
        # A start that was answered is there; one that was not may be sent again and makes one instance.
        for business_id, key in started.items():
            assert (await client.process_instance(key)).business_id == business_id
        for starter in range(6):
            again = CreateProcessInstance(process_definition_id="claim", business_id=f"B-{starter}-0")
            with pytest.raises(ProcessError) as refused:
                await client.create_process_instance(again)
            assert refused.value.code == "ALREADY_EXISTS"
        done = await client.search_jobs(Search(filter={"state": "COMPLETED"}, page=Page(limit=10_000)))
        assert completed <= {job.job_key for job in done.items}

        # Jobs that were with a worker come again when its lock is over, under the same keys.
        open_jobs = await client.search_jobs(Search(filter={"state": "CREATED"}, page=Page(limit=10_000)))
        wanted = {job.job_key for job in open_jobs.items}
        again_taken: set[str] = set()
        async with asyncio.timeout(30):
            while wanted - again_taken:
                jobs = await client.activate_jobs(
                    ActivateJobs(type="work", max_jobs_to_activate=500, timeout=60_000)
                )
                again_taken.update(job.job_key for job in jobs)
                await asyncio.gather(*(client.complete_job(job.job_key) for job in jobs))
        assert again_taken == wanted
        assert taken - completed - {job.job_key for job in done.items} <= wanted

        # Every instance ended once, and the feed tells of each exactly once.
        total = (await client.search_process_instances(Search())).page.total_items
        finished = await client.search_process_instances(Search(filter={"state": "COMPLETED"}))
        assert finished.page.total_items == total >= len(started)
        told: list[str] = []
        query = EventQuery(types=["towpath.instance.completed"], limit=5_000)
        while (page := await client.events(query)).events:
            told += [event.data["processInstanceKey"] for event in page.events]
            query.after = page.position
        assert len(told) == len(set(told)) == total


async def test_timers_and_follow_ups_go_on_after_a_kill(tmp_path: Path) -> None:
    async with running(tmp_path) as (child, client):
        await client.deploy([process("later", START, timer("t", "PT1S"), service("work"), END)])
        await asyncio.gather(
            *(
                client.create_process_instance(CreateProcessInstance(process_definition_id="later"))
                for _ in range(20)
            )
        )
        child.send_signal(signal.SIGKILL)
    async with running(tmp_path) as (_, client):
        taken: set[str] = set()
        async with asyncio.timeout(20):
            while len(taken) < 20:
                jobs = await client.activate_jobs(ActivateJobs(type="work"))
                taken.update(job.process_instance_key for job in jobs)
        fired = await client.search_element_instances(Search(filter={"elementId": "t"}))
        assert {one.state for one in fired.items} == {"COMPLETED"}
        assert fired.page.total_items == 20
