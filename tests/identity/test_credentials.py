"""A service's own token."""

import asyncio
from pathlib import Path

import pytest

from towpath.identity import (
    ClientCredentials,
    ClientSettings,
    IssuerSettings,
    IssuerUnavailableError,
    OidcVerifier,
    TokenError,
)
from towpath.identity.issuer import service_secret

from .conftest import ServeIssuer


async def test_a_service_gets_a_token_with_its_role(issuer: str, tmp_path: Path) -> None:
    secret = service_secret(tmp_path / "identity")
    async with ClientCredentials(issuer, "towpath-services", secret) as source, OidcVerifier(issuer) as check:
        identity = await check.verify(await source.token())
    assert identity.roles == {"service"}
    assert identity.subject == "towpath-services"


async def test_many_who_ask_at_once_get_one_token(issuer: str) -> None:
    async with ClientCredentials(issuer, "garage-hamburg", "garage-hamburg") as source:
        tokens = await asyncio.gather(*(source.token() for _ in range(20)))
        assert len({*tokens, await source.token()}) == 1


async def test_a_token_about_to_expire_is_renewed(serve_issuer: ServeIssuer) -> None:
    short = ClientSettings(client_id="garage", secret="s", token_lifetime=0)
    async with (
        serve_issuer(IssuerSettings(clients=[short])) as url,
        ClientCredentials(url, "garage", "s") as source,
    ):
        assert await source.token() != await source.token()


async def test_a_wrong_secret_is_told_as_the_issuers_refusal(issuer: str) -> None:
    async with ClientCredentials(issuer, "garage-hamburg", "wrong") as source:
        with pytest.raises(TokenError, match="refuses 'garage-hamburg': The client is unknown"):
            await source.token()


async def test_an_issuer_that_is_not_up_yet_is_asked_again(serve_issuer: ServeIssuer, tmp_path: Path) -> None:
    async with serve_issuer() as url:
        pass
    secret = service_secret(tmp_path / "identity")
    async with ClientCredentials(url, "towpath-services", secret) as source:
        with pytest.raises(IssuerUnavailableError, match="does not answer"):
            await source.token()
        async with serve_issuer(port=int(url.rpartition(":")[2])):
            assert await source.token()
