"""The local issuer: the flows a browser and a program go through, and what it refuses."""

import base64
import hashlib
import json
import re
import secrets
import stat
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from towpath.identity import AccountSettings, ClientSettings, IssuerSettings, OidcVerifier, TokenError
from towpath.identity.issuer import create_issuer

from .conftest import GATEWAY, ServeIssuer, password_token

CALLBACK = f"{GATEWAY}/app/"


class Browser:
    """A person's browser in the authorization code flow with PKCE."""

    def __init__(self, http: aiohttp.ClientSession, issuer: str) -> None:
        self.http = http
        self.issuer = issuer
        self.verifier = secrets.token_urlsafe(32)

    def request(self, **changes: str | None) -> dict[str, str]:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest())
        query: dict[str, str | None] = {
            "response_type": "code",
            "client_id": "towpath-web",
            "redirect_uri": CALLBACK,
            "scope": "openid profile",
            "state": "a state & more",
            "nonce": "n-1",
            "code_challenge": challenge.decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (query | changes).items() if value is not None}

    async def open(self, **changes: str | None) -> tuple[int, str, dict[str, str]]:
        """Status, page and parameters that came back, of the authorization endpoint."""
        async with self.http.get(
            f"{self.issuer}/authorize", params=self.request(**changes), allow_redirects=False
        ) as answer:
            return answer.status, await answer.text(), returned(answer)

    async def submit(self, page: str, **fields: str) -> tuple[int, str, dict[str, str]]:
        form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))
        form = {name: value.replace("&amp;", "&") for name, value in form.items()} | fields
        async with self.http.post(f"{self.issuer}/authorize", data=form, allow_redirects=False) as answer:
            return answer.status, await answer.text(), returned(answer)

    async def code(self, account: str = "ada") -> str:
        _, page, _ = await self.open()
        status, _, back = await self.submit(page, account=account)
        assert status == 303
        return back["code"]

    async def token(self, **form: str) -> tuple[int, dict[str, Any]]:
        async with self.http.post(f"{self.issuer}/token", data={"client_id": "towpath-web"} | form) as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            return answer.status, await answer.json()

    async def redeem(self, code: str, /, **changes: str) -> tuple[int, dict[str, Any]]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": self.verifier,
        }
        return await self.token(**(form | changes))

    async def refresh(self, token: str) -> tuple[int, dict[str, Any]]:
        return await self.token(grant_type="refresh_token", refresh_token=token)


def returned(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(answer.headers.get("Location", "")).query))


def claims(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


@pytest.fixture
def browser(http: aiohttp.ClientSession, issuer: str) -> Browser:
    return Browser(http, issuer)


async def test_discovery_names_where_everything_is(issuer: str, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{issuer}/.well-known/openid-configuration") as answer:
        document = await answer.json()
    assert document["issuer"] == issuer
    assert document["code_challenge_methods_supported"] == ["S256"]
    async with http.get(document["jwks_uri"]) as answer:
        (key,) = (await answer.json())["keys"]
    assert key["alg"] == "ES256"
    assert "d" not in key


async def test_a_browser_signs_in_by_one_tap_and_gets_tokens(browser: Browser) -> None:
    status, page, _ = await browser.open()
    assert status == 200
    assert "Development only" in page
    status, _, back = await browser.submit(page, account="ada")
    assert status == 303
    assert back["state"] == "a state & more"
    assert back["iss"] == browser.issuer
    status, answer = await browser.redeem(back["code"])
    assert status == 200
    assert answer["token_type"] == "Bearer"
    told = claims(answer["id_token"])
    assert (told["aud"], told["nonce"], told["sub"]) == ("towpath-web", "n-1", "ada")
    async with OidcVerifier(browser.issuer) as verifier:
        assert (await verifier.verify(answer["access_token"])).roles == {"customer"}
        with pytest.raises(TokenError) as refusal:
            await verifier.verify(answer["id_token"])
        assert refusal.value.status == 403


async def test_a_browser_signs_in_with_a_password(browser: Browser) -> None:
    _, page, _ = await browser.open()
    status, page, _ = await browser.submit(page, username="carl", password="wrong")
    assert status == 401
    assert "wrong" in page
    status, _, back = await browser.submit(page, username="carl", password="carl")
    assert status == 303
    assert claims((await browser.redeem(back["code"]))[1]["access_token"])["roles"] == ["adjuster"]


async def test_who_is_signed_in_is_sent_back_without_a_page(browser: Browser) -> None:
    await browser.code()
    status, _, back = await browser.open()
    assert status == 302
    assert "code" in back
    assert (await browser.open(prompt="login"))[0] == 200


async def test_a_client_that_wants_no_page_is_told_that_nobody_is_signed_in(browser: Browser) -> None:
    status, _, back = await browser.open(prompt="none")
    assert status == 302
    assert back["error"] == "login_required"


async def test_a_form_that_is_not_ours_signs_nobody_in(browser: Browser) -> None:
    _, page, _ = await browser.open()
    status, _, back = await browser.submit(page, account="ada", form_key="made-up")
    assert status == 403
    assert back == {}


async def test_a_replayed_code_is_refused_and_takes_its_tokens_along(browser: Browser) -> None:
    code = await browser.code()
    _, answer = await browser.redeem(code)
    status, refusal = await browser.redeem(code)
    assert (status, refusal["error"]) == (400, "invalid_grant")
    assert "used before" in refusal["error_description"]
    assert (await browser.refresh(answer["refresh_token"]))[0] == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "x" * 43},
        {"code_verifier": ""},
        {"redirect_uri": f"{GATEWAY}/console/"},
        {"client_id": "late"},
        {"code": "made-up"},
    ],
)
async def test_a_code_is_good_only_as_it_was_asked_for(browser: Browser, changes: dict[str, str]) -> None:
    status, refusal = await browser.redeem(await browser.code(), **changes)
    assert (status, refusal["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "http://evil.example/app/"},
        {"redirect_uri": "http://127.0.0.1:8080@evil.example/"},
        {"redirect_uri": "http://127.0.0.1:8080\\@evil.example/"},
        {"redirect_uri": "http://127.0.0.1:9999/app/"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": None},
        {"client_id": "unknown"},
        {"client_id": "garage-hamburg"},
    ],
)
async def test_a_browser_is_never_sent_where_the_client_does_not_live(
    browser: Browser, changes: dict[str, str | None]
) -> None:
    status, page, back = await browser.open(**changes)
    assert status == 400
    assert back == {}
    assert "This link does not work" in page


async def test_localhost_is_the_gateway_too(browser: Browser) -> None:
    assert (await browser.open(redirect_uri="http://localhost:8080/app/"))[0] == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
async def test_a_wrong_request_of_a_known_client_is_told_to_the_client(
    browser: Browser, changes: dict[str, str | None], error: str
) -> None:
    status, _, back = await browser.open(**changes)
    assert status == 302
    assert back["error"] == error
    assert back["state"] == "a state & more"


async def test_a_refresh_token_is_good_once_and_its_second_use_ends_the_sign_in(browser: Browser) -> None:
    _, first = await browser.redeem(await browser.code())
    status, second = await browser.refresh(first["refresh_token"])
    assert status == 200
    assert second["refresh_token"] != first["refresh_token"]
    status, refusal = await browser.refresh(first["refresh_token"])
    assert (status, refusal["error"]) == (400, "invalid_grant")
    assert (await browser.refresh(second["refresh_token"]))[0] == 400


async def test_a_refresh_whose_answer_was_lost_can_be_repeated_for_a_moment(
    serve_issuer: ServeIssuer, http: aiohttp.ClientSession
) -> None:
    async with serve_issuer(IssuerSettings(refresh_reuse=60)) as url:
        browser = Browser(http, url)
        _, first = await browser.redeem(await browser.code())
        assert (await browser.refresh(first["refresh_token"]))[0] == 200
        assert (await browser.refresh(first["refresh_token"]))[0] == 200


async def test_a_restart_signs_nobody_out(serve_issuer: ServeIssuer, http: aiohttp.ClientSession) -> None:
    async with serve_issuer() as url:
        _, answer = await (browser := Browser(http, url)).redeem(await browser.code())
    async with serve_issuer(port=int(url.rpartition(":")[2])):
        assert (await browser.refresh(answer["refresh_token"]))[0] == 200
        async with OidcVerifier(url) as verifier:
            assert (await verifier.verify(answer["access_token"])).subject == "ada"


async def test_signing_out_ends_session_and_refresh(browser: Browser) -> None:
    _, answer = await browser.redeem(await browser.code())
    query = {"id_token_hint": answer["id_token"], "post_logout_redirect_uri": CALLBACK, "state": "bye"}
    async with browser.http.get(f"{browser.issuer}/logout", params=query, allow_redirects=False) as response:
        assert response.status == 303
        assert response.headers["Location"] == f"{CALLBACK}?state=bye"
    assert (await browser.refresh(answer["refresh_token"]))[0] == 400
    assert (await browser.open())[0] == 200


async def test_signing_out_sends_nobody_elsewhere(browser: Browser) -> None:
    query = {"client_id": "towpath-web", "post_logout_redirect_uri": "http://evil.example/"}
    async with browser.http.get(f"{browser.issuer}/logout", params=query, allow_redirects=False) as response:
        assert response.status == 200
        assert "Signed out" in await response.text()


async def test_a_revoked_refresh_token_is_no_longer_good(browser: Browser) -> None:
    _, answer = await browser.redeem(await browser.code())
    form = {"client_id": "towpath-web", "token": answer["refresh_token"]}
    async with browser.http.post(f"{browser.issuer}/revoke", data=form) as response:
        assert response.status == 200
    assert (await browser.refresh(answer["refresh_token"]))[0] == 400


async def test_one_line_of_curl_gets_adas_token(issuer: str, http: aiohttp.ClientSession) -> None:
    answer = await password_token(http, issuer, "ada")
    assert claims(answer["access_token"])["sub"] == "ada"


async def test_the_browsers_client_is_there_whichever_clients_are_listed(
    serve_issuer: ServeIssuer, http: aiohttp.ClientSession
) -> None:
    async with serve_issuer(IssuerSettings(clients=[ClientSettings(client_id="garage", secret="s")])) as url:
        assert (await Browser(http, url).open())[0] == 200


async def test_a_wrong_password_is_refused(browser: Browser) -> None:
    status, refusal = await browser.token(grant_type="password", username="ada", password="ben")
    assert (status, refusal["error"]) == (400, "invalid_grant")


async def test_the_password_grant_and_one_tap_can_be_turned_off(
    serve_issuer: ServeIssuer, http: aiohttp.ClientSession
) -> None:
    async with serve_issuer(IssuerSettings(password_grant=False, one_tap=False)) as url:
        browser = Browser(http, url)
        status, refusal = await browser.token(grant_type="password", username="ada", password="ada")
        assert (status, refusal["error"]) == (400, "unsupported_grant_type")
        _, page, _ = await browser.open()
        assert "demo account" not in page
        assert (await browser.submit(page, account="ada"))[0] == 401


async def test_a_partner_gets_a_token_for_itself(browser: Browser) -> None:
    document = (
        await browser.token(
            grant_type="client_credentials", client_id="garage-hamburg", client_secret="garage-hamburg"
        )
    )[1]
    told = claims(document["access_token"])
    assert (told["sub"], told["roles"], told["plan"]) == ("garage-hamburg", ["partner"], "partner")
    assert "refresh_token" not in document


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "magic"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, 400, "unauthorized_client"),
        ({"grant_type": "client_credentials", "client_id": "garage-hamburg"}, 401, "invalid_client"),
        (
            {"grant_type": "client_credentials", "client_id": "garage-hamburg", "client_secret": "x"},
            401,
            "invalid_client",
        ),
        ({"grant_type": "client_credentials", "client_id": "towpath-services"}, 401, "invalid_client"),
        ({"client_id": "unknown"}, 401, "invalid_client"),
        ({"grant_type": "refresh_token", "refresh_token": "made-up"}, 400, "invalid_grant"),
    ],
)
async def test_refusals_have_the_form_of_the_rfc(
    browser: Browser, form: dict[str, str], status: int, error: str
) -> None:
    answered, refusal = await browser.token(**form)
    assert (answered, refusal["error"]) == (status, error)
    assert refusal["error_description"]


async def test_a_repeated_parameter_is_refused(issuer: str, http: aiohttp.ClientSession) -> None:
    body = b"grant_type=password&grant_type=refresh_token"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with http.post(f"{issuer}/token", data=body, headers=headers) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"] == "invalid_request"


async def test_userinfo_tells_a_person_and_refuses_what_is_no_access_token(browser: Browser) -> None:
    answer = await password_token(browser.http, browser.issuer, "olga")
    url = f"{browser.issuer}/userinfo"
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    async with browser.http.get(url, headers=headers) as response:
        assert (await response.json())["roles"] == ["operator"]
    for bad in (answer["id_token"], "x", ""):
        async with browser.http.get(url, headers={"Authorization": f"Bearer {bad}"}) as response:
            assert response.status == 401
            assert "invalid_token" in response.headers["WWW-Authenticate"]


async def test_a_client_set_to_it_mints_expired_tokens(issuer: str, http: aiohttp.ClientSession) -> None:
    token = (await password_token(http, issuer, "ada", client_id="late"))["access_token"]
    async with OidcVerifier(issuer) as verifier:
        with pytest.raises(TokenError, match="expired"):
            await verifier.verify(token)


async def test_only_the_gateways_pages_may_ask_for_tokens(issuer: str, http: aiohttp.ClientSession) -> None:
    for origin, allowed in ((GATEWAY, GATEWAY), ("http://evil.example", None)):
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        async with http.options(f"{issuer}/token", headers=headers) as answer:
            assert answer.headers.get("Access-Control-Allow-Origin") == allowed


async def test_a_name_that_was_pointed_at_loopback_is_refused(
    issuer: str, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{issuer}/jwks", headers={"Host": "evil.example"}) as answer:
        assert answer.status == 421


async def test_the_login_page_runs_no_script_and_is_framed_by_nobody(browser: Browser) -> None:
    async with browser.http.get(f"{browser.issuer}/authorize", params=browser.request()) as answer:
        policy = answer.headers["Content-Security-Policy"]
        page = await answer.text()
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in page


async def test_what_a_client_sends_is_text_on_the_page(browser: Browser) -> None:
    _, page, _ = await browser.open(state='"><script>alert(1)</script>')
    assert "<script>" not in page


async def test_secrets_are_for_their_owner_only(issuer: str, tmp_path: Path) -> None:
    files = list((tmp_path / "identity").iterdir())
    assert {f.name for f in files} >= {"signing-key-es256.pem", "service-secret", "identity.db"}
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}


@pytest.mark.parametrize(
    ("url", "host"), [("http://towpath.example", None), ("http://127.0.0.1:8081", "0.0.0.0")]
)
def test_it_does_not_start_where_others_can_reach_it(tmp_path: Path, url: str, host: str | None) -> None:
    with pytest.raises(ValueError, match="allow_remote = true"):
        create_issuer(IssuerSettings(), url=url, state=tmp_path, host=host)


async def test_told_to_be_reachable_it_starts_without_its_conveniences(tmp_path: Path) -> None:
    settings = IssuerSettings(allow_remote=True)
    assert create_issuer(settings, url="http://towpath.example", state=tmp_path)
    assert not settings.offers_one_tap
    assert not settings.offers_password_grant


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            IssuerSettings(accounts=[AccountSettings(username="a", password="a")] * 2),
            "'a' is there twice",
        ),
        (IssuerSettings(clients=[ClientSettings(client_id="towpath-services")]), "is there twice"),
        (IssuerSettings(accounts=[AccountSettings(username="a", password="")]), "neither empty"),
    ],
)
def test_settings_that_cannot_be_used_are_told(tmp_path: Path, settings: IssuerSettings, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        create_issuer(settings, url="http://127.0.0.1:8081", state=tmp_path)


def test_a_damaged_key_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "signing-key-es256.pem").write_text("no key")
    with pytest.raises(ValueError, match=r"signing-key-es256\.pem holds no ES256 key"):
        create_issuer(IssuerSettings(), url="http://127.0.0.1:8081", state=tmp_path)
