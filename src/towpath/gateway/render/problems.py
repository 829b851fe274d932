"""Envoy's own refusals as problem details (RFC 9457), each in words that say what to do."""

from __future__ import annotations

from http import HTTPStatus

from towpath.gateway.render.common import Json, extension

# (what Envoy answered or why, the status to answer with, the detail). The first that fits is taken.
# Why is a part of Envoy's response code details, which name the filter and its reason.
_BY_REASON = (
    ("Jwt_is_missing", 401, "This needs a bearer token of the solution's issuer."),
    ("Jwt_is_expired", 401, "The token has expired."),
    ("Jwt_not_yet_valid", 401, "The token is not valid yet (nbf)."),
    ("Audiences_in_Jwt", 403, "The token is not meant for this audience (aud)."),
    ("Jwks_remote_fetch", 503, "Tokens cannot be checked now: the issuer does not answer."),
    ("Jwks_doesn't_have_key", 401, "The token is signed with a key that the issuer does not have."),
    ("Jwt_verification_fails", 401, "The token's signature does not fit its content."),
    ("jwt_authn_access_denied", 401, "The token is not one that can be believed."),
    ("rbac_access_denied", 403, "This needs a role that the token does not have."),
)
_BY_STATUS = (
    (400, "The request is not well-formed HTTP."),
    (401, "This needs a bearer token of the solution's issuer."),
    (403, "This is not allowed."),
    (404, "There is nothing at this path."),
    (408, "The request took too long to arrive."),
    (413, "The request's body is larger than this path takes."),
    (426, "This protocol is not offered here."),
    (429, "The plan's limit is reached. Retry-After says when to try again."),
    (431, "The request's headers are too large."),
    (500, "The gateway failed."),
    (502, "The service behind the gateway gave an answer that is not HTTP."),
    (503, "The service behind the gateway is not available."),
    (504, "The service behind the gateway did not answer in time."),
)


def local_replies() -> Json:
    """The local reply configuration. What a service answers is its own and passes untouched."""
    mappers = [_mapper(_because(reason), status, detail) for reason, status, detail in _BY_REASON]
    mappers += [_mapper(_answered(status), status, detail) for status, detail in _BY_STATUS]
    return {"mappers": mappers}


def _mapper(when: Json, status: int, detail: str) -> Json:
    mapper: Json = {
        "filter": when,
        "status_code": status,
        "body_format_override": {
            "content_type": "application/problem+json",
            "json_format": {
                "type": "about:blank",
                "title": HTTPStatus(status).phrase,
                "status": "%RESPONSE_CODE%",
                "detail": detail,
            },
        },
    }
    return mapper


def _because(reason: str) -> Json:
    quoted = reason.replace("'", "\\'")
    return {
        "extension_filter": extension(
            "envoy.access_loggers.extension_filters.cel",
            "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
            expression=f"response.code_details.contains('{quoted}')",
        )
    }


def _answered(status: int) -> Json:
    value = {"default_value": status, "runtime_key": f"towpath.status.{status}"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}
