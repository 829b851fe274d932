"""The gateway while it runs: changed, killed, ended, and where it cannot start."""

import asyncio
import os
import signal
import socket
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from towpath.faults import Faulty
from towpath.gateway import (
    AccessLogSettings,
    EnvoyFailedError,
    EnvoyMissingError,
    GatewayRoute,
    GatewaySettings,
    PlanSettings,
    TlsSettings,
    find_envoy,
)
from towpath.gateway.files import rotate

from .conftest import ROUTES, Bench, free_port, upstream_served

GENEROUS = GatewaySettings(anonymous=PlanSettings(requests=1_000_000))


async def test_a_change_under_load_fails_no_request(bench: Bench) -> None:
    async with upstream_served() as second, bench.gateway(GENEROUS) as gateway:
        statuses: list[int] = []
        changing = True

        async def ask() -> None:
            while changing:
                statuses.append(await bench.status(f"{gateway.url}/open"))

        callers = [asyncio.create_task(ask()) for _ in range(4)]
        urls = {"echo": bench.upstream.url, "gone": bench.upstream.url}
        for number in range(10):
            name = f"other{number}"
            route = GatewayRoute(f"/added{number}", name, public=True)
            await gateway.update(upstreams=urls | {name: second.url}, routes=[*ROUTES, route])
            assert await bench.status(f"{gateway.url}/added{number}") == 200
        await gateway.update(upstreams=urls | {"echo": second.url}, routes=ROUTES)
        assert await bench.status(f"{gateway.url}/added9") == 404
        changing = False
        await asyncio.gather(*callers)
        assert set(statuses) == {200}
        assert len(second.bodies) > 0


async def test_a_websocket_survives_a_change(bench: Bench) -> None:
    async with bench.gateway() as gateway, bench.http.ws_connect(f"{gateway.url}/stream/socket") as ws:
        await ws.send_str("before")
        assert (await ws.receive(timeout=10)).data == "echo before"
        urls = {"echo": bench.upstream.url, "gone": bench.upstream.url, "more": bench.upstream.url}
        await gateway.update(upstreams=urls, routes=[*ROUTES, GatewayRoute("/more", "more")])
        await ws.send_str("after")
        assert (await ws.receive(timeout=10)).data == "echo after"


async def test_a_bad_change_is_told_and_leaves_everything_as_it_was(bench: Bench) -> None:
    async with bench.gateway() as gateway:
        with pytest.raises(Faulty, match="which is not an upstream"):
            await gateway.update(routes=[GatewayRoute("/open", "unknown")])
        with pytest.raises(EnvoyFailedError, match="does not accept"):
            await gateway.update(routes=[GatewayRoute("/open", "echo", pattern="(")])
        assert await bench.status(f"{gateway.url}/open") == 200
        await gateway.update(routes=[GatewayRoute("/other", "echo", public=True)])
        assert await bench.status(f"{gateway.url}/other") == 200


async def test_envoy_that_was_killed_comes_back_at_the_same_address(bench: Bench) -> None:
    async with bench.gateway() as gateway:
        first = gateway.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)

        async def back() -> bool:
            return gateway.pid not in (None, first) and await gateway.ready()

        await bench.until(back)
        assert await bench.status(f"{gateway.url}/open") == 200


async def test_leaving_ends_envoy_and_frees_its_ports(bench: Bench) -> None:
    async with bench.gateway() as gateway:
        pid = gateway.pid
        assert pid is not None
    assert not psutil.pid_exists(pid)
    port = int(gateway.url.rpartition(":")[2])
    async with bench.gateway(port=port):
        assert await bench.status(f"{gateway.url}/open") == 200


async def test_envoy_does_not_outlive_us(bench: Bench) -> None:
    script = f"""
import asyncio
from pathlib import Path
from towpath.gateway import Gateway, GatewaySettings, IssuerRef

async def main():
    issuer = IssuerRef(issuer={bench.issuer!r}, jwks={bench.issuer + "/jwks"!r}, audience="towpath")
    gateway = Gateway(GatewaySettings(), state=Path({str(bench.state / "other")!r}), host="127.0.0.1",
                      port=0, admin_port=0, issuer=issuer, upstreams={{}}, routes=[])
    async with gateway:
        print(gateway.pid, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        envoy = int(await asyncio.to_thread(parent.stdout.readline))
        assert psutil.pid_exists(envoy)
        parent.kill()
        parent.wait()

    def gone() -> bool:
        return not psutil.pid_exists(envoy) or psutil.Process(envoy).status() == psutil.STATUS_ZOMBIE

    await bench.until(gone)


async def test_a_port_in_use_is_told_before_anything_starts(bench: Bench) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=rf"127\.0\.0\.1:{port} cannot be used"):
            bench.gateway(port=port)
        with pytest.raises(OSError, match=rf"127\.0\.0\.1:{port} cannot be used"):
            bench.gateway(admin_port=port)


async def test_two_gateways_do_not_share_a_port(bench: Bench) -> None:
    async with bench.gateway() as gateway:
        with pytest.raises(OSError, match="cannot be used"):
            bench.gateway(port=int(gateway.url.rpartition(":")[2]), state=bench.state / "second")


async def test_without_envoy_the_ways_are_named(bench: Bench) -> None:
    with pytest.raises(EnvoyMissingError, match="ENVOY_BIN is /nowhere/envoy"):
        bench.gateway(envoy="/nowhere/envoy")


def test_the_binary_of_the_distribution_is_found() -> None:
    assert find_envoy().name == "envoy"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (GatewaySettings(default_plan="gold"), "'gold', which is not a plan"),
        (GatewaySettings(plans={"standard": PlanSettings(requests=0)}), "allows 0 requests"),
        (GatewaySettings(max_body=0), "max_body must be above 0"),
        (GatewaySettings(tls=TlsSettings(certificate="/nowhere.pem", key="/nowhere.pem")), "/nowhere.pem"),
    ],
)
async def test_settings_that_cannot_be_used_are_told(
    bench: Bench, settings: GatewaySettings, told: str
) -> None:
    with pytest.raises(Faulty, match=told):
        async with bench.gateway(settings):
            pass


async def test_the_whole_configuration_can_be_checked_without_serving(bench: Bench) -> None:
    gateway = bench.gateway()
    await gateway.check()
    assert not await gateway.ready()
    gateway.close()
    broken = bench.gateway(routes=[GatewayRoute("/open", "echo", pattern="(")])
    with pytest.raises(EnvoyFailedError, match="does not accept the configuration"):
        await broken.check()
    broken.close()


def certificate(folder: Path, name: str) -> TlsSettings:
    """A self-signed certificate for loopback."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "tls.pem", folder / "tls.key"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return TlsSettings(certificate=str(chain), key=str(secret))


def presented(url: str) -> str:
    host, _, port = url.removeprefix("https://").partition(":")
    pem = ssl.get_server_certificate((host, int(port)), timeout=10)
    name = x509.load_pem_x509_certificate(pem.encode()).subject.rfc4514_string()
    return name.removeprefix("CN=")


async def test_it_serves_tls_and_takes_a_new_certificate_while_it_runs(bench: Bench, tmp_path: Path) -> None:
    settings = GatewaySettings(tls=certificate(tmp_path, "first"))
    async with bench.gateway(settings) as gateway:
        assert gateway.url.startswith("https://")
        async with bench.http.get(f"{gateway.url}/open", ssl=False) as answer:
            assert answer.status == 200
            assert "Strict-Transport-Security" in answer.headers
        assert await asyncio.to_thread(presented, gateway.url) == "first"
        certificate(tmp_path, "second")
        await gateway.update()
        assert await asyncio.to_thread(presented, gateway.url) == "second"
    for file in (tmp_path / "gateway").rglob("*.json"):
        assert file.stat().st_mode & 0o077 == 0


async def test_the_access_log_can_go_to_standard_output(
    bench: Bench, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    async with bench.gateway(GatewaySettings(access_log=AccessLogSettings(to="stdout"))) as gateway:
        await bench.status(f"{gateway.url}/open/seen")
        written = b""

        def told() -> bool:
            nonlocal written
            written += capfdbinary.readouterr().out
            return b'"path":"/open/seen"' in written

        await bench.until(told)
    assert not gateway.access_log.exists()


async def test_a_log_that_was_put_aside_is_begun_anew(bench: Bench) -> None:
    async with bench.gateway() as gateway, aiohttp.ClientSession() as http:
        await bench.status(f"{gateway.url}/open/one")
        await bench.until(lambda: gateway.access_log.exists() and gateway.access_log.stat().st_size > 0)
        assert rotate(gateway.access_log, max_bytes=1, keep=2)
        async with http.post(f"{gateway.admin_url}/reopen_logs") as answer:
            assert answer.status == 200
        await bench.status(f"{gateway.url}/open/two")
        await bench.until(lambda: gateway.access_log.exists() and "two" in gateway.access_log.read_text())
        assert "one" in gateway.access_log.with_name("access.log.1").read_text()


def test_only_so_many_old_logs_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    assert not rotate(log, max_bytes=1, keep=2)
    for number in range(4):
        log.write_text(f"log {number}")
        assert rotate(log, max_bytes=1, keep=2)
    log.write_text("")
    assert not rotate(log, max_bytes=1, keep=2)
    assert sorted(f.name for f in tmp_path.iterdir()) == ["access.log", "access.log.1", "access.log.2"]
    assert (tmp_path / "access.log.1").read_text() == "log 3"


async def test_a_free_port_is_known_before_it_is_served(bench: Bench) -> None:
    gateway = bench.gateway(port=free_port())
    assert gateway.url.startswith("http://127.0.0.1:")
    async with gateway:
        assert await bench.status(f"{gateway.url}/open") == 200
