"""What the route engine costs: HTTP in -> transform -> choice -> HTTP out, against the same by hand.

``python -m bench.integration [--quick] [--json]``. Both are programs of their own on uvicorn with uvloop and
httptools, and reach the same back end with a pool of aiohttp; by hand means plain ASGI with msgspec, no
framework, no retries, no timeouts, no counts. They are measured in turns under the same load, in CPU seconds
of the program under measurement alone, on whatever cores are free.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import psutil
import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from towpath.http import listen, serving
from towpath.integration import IntegrationSettings, Retry, collecting, create_app, http, route
from towpath.storage.database import sqlite_url

CONNECTIONS = 16
GOAL = 0.85  # of the requests per CPU second of the same thing by hand
ORDERS = [
    {
        "number": number,
        "customer": {"id": f"c{number}", "name": "Ada Jensen"},
        "lines": [{"article": f"a{line}", "pieces": line + 1, "price": 1250 * number} for line in range(3)],
    }
    for number in range(1, 9)
]
LARGE = 50_000  # cents; larger orders go to another address


class Line(msgspec.Struct):
    article: str
    pieces: int
    price: int


class Customer(msgspec.Struct):
    id: str
    name: str


class Order(msgspec.Struct):
    number: int
    customer: Customer
    lines: list[Line]


def transform(number: int, customer: Customer, lines: list[Line]) -> dict[str, Any]:
    return {
        "ref": number,
        "for": customer.name,
        "total": sum(line.pieces * line.price for line in lines),
        "articles": [line.article for line in lines],
    }


def ours(target: str, folder: Path) -> Any:
    """The service with one route, as a solution would write it."""
    with collecting() as registry:
        shop = http("shop")

        @route("http:POST /orders", timeout=5, retry=Retry(attempts=3), dead_letter=True)
        async def orders(number: int, customer: Customer, lines: list[Line]) -> Any:
            order = transform(number, customer, lines)
            path = "/large" if order["total"] > LARGE else "/small"
            return (await shop.post(path, json=order)).json()

    return create_app(
        IntegrationSettings(connections={"shop": {"url": target}}),
        routes=registry.routes(),
        database_url=sqlite_url(folder / "integration.sqlite"),
        process=None,
        verifier=None,
    )


def by_hand(target: str, _: Path) -> Any:
    """The same in plain ASGI."""
    session: aiohttp.ClientSession
    decoder = msgspec.json.Decoder(Order)
    encode, decode = msgspec.json.encode, msgspec.json.decode

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal session
        if scope["type"] == "lifespan":
            await receive()
            session = aiohttp.ClientSession()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await session.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        received = decoder.decode(body)
        order = transform(received.number, received.customer, received.lines)
        path = "/large" if order["total"] > LARGE else "/small"
        headers = {"Content-Type": "application/json"}
        async with session.post(target + path, data=encode(order), headers=headers) as answer:
            result = encode(decode(await answer.read()))
        start = [(b"content-type", b"application/json"), (b"content-length", str(len(result)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": start})
        await send({"type": "http.response.body", "body": result})

    return app


def back_end(_: str, __: Path) -> Any:
    """What both reach: answers at once."""
    answer = b'{"accepted":true,"days":3}'
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
            return
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return app


PROGRAMS = {"ours": ours, "by hand": by_hand, "back end": back_end}


async def serve(name: str, target: str) -> None:
    """Be one of the programs, until standard input ends."""
    with tempfile.TemporaryDirectory() as folder:
        app = PROGRAMS[name](target, Path(folder))
        async with serving(app, listen("127.0.0.1", 0)) as url:
            print(url, flush=True)
            await asyncio.to_thread(sys.stdin.read)


@dataclass
class Program:
    """A running program, and what was measured of it."""

    name: str
    url: str
    process: psutil.Process
    rates: list[float] = field(default_factory=list)

    def cpu(self) -> float:
        """Seconds used until now."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextlib.contextmanager
def started(name: str, target: str = "") -> Iterator[Program]:
    command = [sys.executable, "-m", "bench.integration", "--serve", name, "--target", target]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        url = ""
        for said in process.stdout:
            if said.startswith("http"):
                url = said.strip()
                break
        if not url:
            raise RuntimeError(f"The program {name!r} did not start.")
        try:
            yield Program(name, url, psutil.Process(process.pid))
        finally:
            process.stdin.close()
            process.wait(20)


async def load(session: aiohttp.ClientSession, program: Program, requests: int) -> None:
    """``requests`` over CONNECTIONS, each answer checked."""
    bodies = [msgspec.json.encode(order) for order in ORDERS]
    left = iter(range(requests))
    headers = {"Content-Type": "application/json"}

    async def one_after_the_other() -> None:
        for number in left:
            body = bodies[number % len(bodies)]
            async with session.post(f"{program.url}/orders", data=body, headers=headers) as answer:
                if await answer.read() != b'{"accepted":true,"days":3}':
                    raise RuntimeError(f"{program.name} answered {answer.status}.")

    await asyncio.gather(*(one_after_the_other() for _ in range(CONNECTIONS)))


async def measure(rounds: int, requests: int, console: Console) -> list[dict[str, Any]]:
    """Rows of the table."""
    with contextlib.ExitStack() as running:
        target = running.enter_context(started("back end"))
        mine, hand = (running.enter_context(started(name, target.url)) for name in ("ours", "by hand"))
        async with aiohttp.ClientSession() as session:
            programs = [mine, hand]
            with Progress(console=console, transient=True) as progress:
                task = progress.add_task("measuring", total=2 * (rounds + 1))
                for round_ in range(rounds + 1):
                    for program in programs:
                        before = program.cpu()
                        await load(session, program, requests)
                        if round_:  # the first one warms up
                            program.rates.append(requests / (program.cpu() - before))
                        progress.advance(task)
                    programs.reverse()
    ratio = statistics.median(a / b for a, b in zip(mine.rates, hand.rates, strict=True))
    unit = "requests per CPU second"
    hand_rate, our_rate = statistics.median(hand.rates), statistics.median(mine.rates)
    return [
        {"name": "ASGI and aiohttp by hand", "value": round(hand_rate), "unit": unit, "goal": "", "ok": None},
        {"name": "route engine", "value": round(our_rate), "unit": unit, "goal": "", "ok": None},
        {
            "name": "route engine / by hand",
            "value": round(ratio, 3),
            "unit": "x",
            "goal": f">= {GOAL}",
            "ok": ratio >= GOAL,
        },
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--quick", action="store_true", help="less than a minute")
    parser.add_argument("--serve", choices=sorted(PROGRAMS), help=argparse.SUPPRESS)
    parser.add_argument("--target", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        uvloop.run(serve(arguments.serve, arguments.target))
        return
    rounds, requests = (4, 2_000) if arguments.quick else (10, 10_000)
    rows = uvloop.run(measure(rounds, requests, Console(stderr=True)))
    if arguments.json:
        print(json.dumps({"rows": rows}))
        return
    table = Table(title="HTTP in, transform, choice, HTTP out")
    for column in ("", "value", "unit", "goal", "ok"):
        table.add_column(column, justify="right" if column == "value" else "left")
    for row in rows:
        ok = {True: "yes", False: "no", None: ""}[row["ok"]]
        table.add_row(row["name"], f"{row['value']:,}", row["unit"], row["goal"], ok)
    Console().print(table)


if __name__ == "__main__":
    main()
