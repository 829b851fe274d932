"""Bearer tokens checked against an issuer's keys."""

import asyncio
import base64
import hmac
import json
import time
import warnings
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from towpath.identity import IssuerUnavailableError, OidcVerifier, TokenError

from .conftest import ServeIssuer, password_token


class Issuer:
    """An issuer under the test's control: its keys, and how often it was asked for them."""

    def __init__(self) -> None:
        self.keys: list[Key] = []
        self.asked = 0
        self.url = ""
        self.down = False

    def add(self, key: Key) -> Key:
        key.ensure_kid()
        self.keys.append(key)
        return key

    async def discovery(self, _: web.Request) -> web.Response:
        if self.down:
            return web.Response(status=503)
        return web.json_response({"issuer": self.url, "jwks_uri": f"{self.url}/jwks"})

    async def jwks(self, _: web.Request) -> web.Response:
        self.asked += 1
        if self.down:
            return web.Response(status=503)
        return web.json_response({"keys": [{"kty": "XX"}, *(k.as_dict(private=False) for k in self.keys)]})

    def token(self, key: Key, algorithm: str = "ES256", *, kid: str | None = None, **claims: Any) -> str:
        now = int(time.time())
        body = {"iss": self.url, "aud": "towpath", "sub": "ada", "exp": now + 60, "roles": ["customer"]}
        header = {"alg": algorithm, "kid": kid or key.kid}
        kept = {name: value for name, value in (body | claims).items() if value is not None}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joserfc warns of the name EdDSA
            return jwt.encode(header, kept, key, algorithms=[algorithm])


@pytest.fixture
async def other() -> AsyncIterator[Issuer]:
    issuer = Issuer()
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", issuer.discovery)
    app.router.add_get("/jwks", issuer.jwks)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    issuer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield issuer
    await runner.cleanup()


@pytest.fixture
async def verifier(other: Issuer) -> AsyncIterator[OidcVerifier]:
    async with OidcVerifier(other.url) as made:
        yield made


def key() -> ECKey:
    return ECKey.generate_key("P-256")


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


async def refused(verifier: OidcVerifier, token: str) -> TokenError:
    with pytest.raises(TokenError) as refusal:
        await verifier.verify(token)
    return refusal.value


async def test_a_token_of_the_local_issuer_says_who_calls(issuer: str, http: aiohttp.ClientSession) -> None:
    token = (await password_token(http, issuer, "ada"))["access_token"]
    async with OidcVerifier(issuer) as verifier:
        identity = await verifier.verify(token)
    assert (identity.subject, identity.name, identity.email) == ("ada", "Ada Becker", "ada@example.com")
    assert identity.roles == {"customer"}
    assert identity.client_id == "towpath-web"
    assert identity.claims["plan"] == "standard"


@pytest.mark.parametrize(
    ("algorithm", "made"),
    [
        ("ES256", key()),
        ("RS256", RSAKey.generate_key(2048)),
        ("PS256", RSAKey.generate_key(2048)),
        ("EdDSA", OKPKey.generate_key("Ed25519")),
        ("Ed25519", OKPKey.generate_key("Ed25519")),
    ],
)
async def test_asymmetric_algorithms_are_taken(
    other: Issuer, verifier: OidcVerifier, algorithm: str, made: Key
) -> None:
    token = other.token(other.add(made), algorithm)
    assert (await verifier.verify(token)).subject == "ada"


async def test_an_unsigned_token_is_refused(other: Issuer, verifier: OidcVerifier) -> None:
    good = other.token(other.add(key()))
    header = encoded(json.dumps({"alg": "none"}).encode())
    error = await refused(verifier, f"{header}.{good.split('.')[1]}.")
    assert error.status == 401
    assert "signed with one of" in error.detail


async def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(
    other: Issuer, verifier: OidcVerifier
) -> None:
    public = other.add(RSAKey.generate_key(2048))
    body = other.token(public, "RS256").split(".")[1]
    signed = encoded(json.dumps({"alg": "HS256", "kid": public.kid}).encode()) + "." + body
    mac = hmac.digest(public.as_pem(private=False), signed.encode(), "sha256")
    error = await refused(verifier, f"{signed}.{encoded(mac)}")
    assert error.status == 401


async def test_changed_claims_are_refused(other: Issuer, verifier: OidcVerifier) -> None:
    head, body, signature = other.token(other.add(key())).split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "==")) | {"roles": ["operator"]}
    forged = encoded(json.dumps(claims).encode())
    assert "signature" in (await refused(verifier, f"{head}.{forged}.{signature}")).detail


async def test_another_key_under_a_known_id_is_refused(other: Issuer, verifier: OidcVerifier) -> None:
    known = other.add(key())
    assert "signature" in (await refused(verifier, other.token(key(), kid=known.kid))).detail


@pytest.mark.parametrize(
    ("claims", "status", "told"),
    [
        ({"exp": int(time.time()) - 60}, 401, "expired"),
        ({"exp": None}, 401, "no expiry"),
        ({"exp": "tomorrow"}, 401, "no expiry"),
        ({"nbf": int(time.time()) + 600}, 401, "not valid yet"),
        ({"iss": "https://elsewhere.example"}, 401, "another issuer"),
        ({"sub": None}, 401, "no subject"),
        ({"aud": "another"}, 403, "not meant for"),
        ({"aud": ["a", "b"]}, 403, "not meant for"),
        ({"aud": None}, 403, "not meant for"),
    ],
)
async def test_claims_that_do_not_hold_are_refused(
    other: Issuer, verifier: OidcVerifier, claims: dict[str, Any], status: int, told: str
) -> None:
    error = await refused(verifier, other.token(other.add(key()), **claims))
    assert error.status == status
    assert told in error.detail


@pytest.mark.parametrize(
    "text", ["", "x", "a.b", "a.b.c", "." * 3, "é.ü.ß", "\ud800", "x" * 20000, "W10.e30.x"]
)
async def test_text_that_is_no_token_is_refused(verifier: OidcVerifier, text: str) -> None:
    assert (await refused(verifier, text)).status == 401


async def test_an_audience_among_several_is_enough(other: Issuer, verifier: OidcVerifier) -> None:
    token = other.token(other.add(key()), aud=["account", "towpath"])
    assert (await verifier.verify(token)).subject == "ada"


@pytest.mark.parametrize(
    ("path", "claims"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["adjuster"]}}),
        ("https://example.com/roles", {"https://example.com/roles": ["adjuster"]}),
        ("scope", {"scope": "adjuster"}),
    ],
)
async def test_roles_are_found_where_the_issuer_puts_them(
    other: Issuer, path: str, claims: dict[str, Any]
) -> None:
    token = other.token(other.add(key()), roles=None, **claims)
    async with OidcVerifier(other.url, roles_claim=path) as verifier:
        assert (await verifier.verify(token)).roles == {"adjuster"}


async def test_roles_that_are_not_there_are_no_roles(other: Issuer) -> None:
    token = other.token(other.add(key()), realm_access="none")
    async with OidcVerifier(other.url, roles_claim="realm_access.roles") as verifier:
        assert (await verifier.verify(token)).roles == frozenset()


async def test_a_new_key_is_fetched_when_a_token_names_it(other: Issuer) -> None:
    first = other.add(key())
    async with OidcVerifier(other.url, refresh_interval=0.0) as verifier:
        await verifier.verify(other.token(first))
        second = other.add(key())
        assert (await verifier.verify(other.token(second))).subject == "ada"
    assert other.asked == 2


async def test_made_up_key_ids_do_not_make_us_ask_the_issuer_each_time(
    other: Issuer, verifier: OidcVerifier
) -> None:
    good = other.add(key())
    for number in range(20):
        error = await refused(verifier, other.token(key(), kid=f"made-up-{number}"))
        assert "does not have" in error.detail
    assert (await verifier.verify(other.token(good))).subject == "ada"
    assert other.asked == 1


async def test_many_first_tokens_cause_one_fetch(other: Issuer, verifier: OidcVerifier) -> None:
    good = other.add(key())
    await asyncio.gather(*(verifier.verify(other.token(good, jti=str(n))) for n in range(20)))
    assert other.asked == 1


async def test_a_token_of_a_withdrawn_key_is_refused_even_where_it_was_known(other: Issuer) -> None:
    first = other.add(key())
    now = [time.time()]
    async with OidcVerifier(other.url, clock=lambda: now[0]) as verifier:
        token = other.token(first, exp=int(now[0]) + 7200)
        await verifier.verify(token)
        other.keys = []
        other.add(key())
        now[0] += 1000
        assert "does not have" in (await refused(verifier, token)).detail


async def test_a_remembered_token_expires_all_the_same(other: Issuer) -> None:
    now = [time.time()]
    async with OidcVerifier(other.url, clock=lambda: now[0]) as verifier:
        token = other.token(other.add(key()))
        await verifier.verify(token)
        now[0] += 120
        assert "expired" in (await refused(verifier, token)).detail


async def test_known_keys_outlive_an_outage_of_the_issuer(other: Issuer) -> None:
    good = other.add(key())
    now = [time.time()]
    async with OidcVerifier(other.url, clock=lambda: now[0]) as verifier:
        await verifier.verify(other.token(good))
        other.down = True
        now[0] += 1000
        assert (await verifier.verify(other.token(good, exp=int(now[0]) + 60))).subject == "ada"


async def test_an_issuer_that_is_down_is_said_to_be_and_asked_again_later(
    serve_issuer: ServeIssuer, http: aiohttp.ClientSession
) -> None:
    async with serve_issuer() as url:
        token = (await password_token(http, url, "ada"))["access_token"]
    async with OidcVerifier(url, retry_interval=0.0) as verifier:
        with pytest.raises(IssuerUnavailableError, match="does not answer") as refusal:
            await verifier.verify(token)
        assert refusal.value.status == 503
        async with serve_issuer(port=int(url.rpartition(":")[2])):
            assert (await verifier.verify(token)).subject == "ada"


async def test_an_issuer_that_calls_itself_otherwise_is_not_believed(other: Issuer) -> None:
    token = other.token(other.add(key()))
    url, other.url = other.url, "https://elsewhere.example"
    async with OidcVerifier(url) as verifier:
        assert "calls itself" in (await refused(verifier, token)).detail


async def test_no_more_tokens_are_remembered_than_allowed(other: Issuer) -> None:
    good = other.add(key())
    async with OidcVerifier(other.url, cached_tokens=2) as verifier:
        tokens = [other.token(good, jti=str(n)) for n in range(4)]
        assert {(await verifier.verify(t)).subject for t in [*tokens, *tokens]} == {"ada"}
        assert len(verifier._cache) == 2
