"""The application: handlers put together, who may call them, and what is told of the server itself."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Litestar, Request, Response, Router, get

from towpath import __version__
from towpath.http import create_service
from towpath.http.problem import MEDIA_TYPE, from_process
from towpath.identity import TokenVerifier
from towpath.process.changes import AlreadyExists
from towpath.process.rest import feed, instances, jobs, resources, tasks
from towpath.process.rest.common import administrators, answer, nothing, workers
from towpath.process.server import ProcessServer

ROOM = 1024 * 1024  # bytes of a multipart body beside its document
MAX_BODY = 16 * 1024 * 1024  # bytes of any other body


def create_app(server: ProcessServer, verifier: TokenVerifier | None) -> Litestar:
    """The REST API of ``server``. Without ``verifier`` nobody is asked who they are: for tests."""

    @get("/topology")
    async def topology(request: Request[Any, Any, Any]) -> Response[bytes]:
        url = request.url
        return answer(
            {
                "clusterId": "towpath",
                "clusterSize": 1,
                "partitionsCount": 1,
                "replicationFactor": 1,
                "gatewayVersion": __version__,
                "lastCompletedChangeId": "0",
                "brokers": [
                    {
                        "nodeId": 0,
                        "host": url.hostname,
                        "port": url.port or 80,
                        "version": __version__,
                        "partitions": [{"partitionId": 1, "role": "leader", "health": "healthy"}],
                    }
                ],
            }
        )

    @get("/status", status_code=204)
    async def status() -> None:
        return None

    @get("/license")
    async def license_() -> Response[bytes]:
        return answer(
            {"validLicense": True, "licenseType": "Apache-2.0", "isCommercial": False, "expiresAt": None}
        )

    @get("/authentication/me")
    async def me(request: Request[Any, Any, Any]) -> Response[bytes]:
        identity = request.scope.get("state", {}).get("identity")
        if identity is None:
            return nothing()
        return answer(
            {
                "username": identity.subject,
                "displayName": identity.name,
                "email": identity.email,
                "roles": sorted(identity.roles),
                "groups": [],
                "tenants": [],
                "authorizedComponents": ["*"],
                "salesPlanType": None,
                "c8Links": {},
                "canLogout": False,
            }
        )

    secured = verifier is not None
    administration = Router(
        "/v2",
        route_handlers=[
            topology,
            status,
            license_,
            me,
            *instances.handlers(server),
            *tasks.handlers(server),
            *resources.handlers(server),
            *feed.handlers(server),
        ],
        guards=[administrators] if secured else [],
        exception_handlers={AlreadyExists: _already_exists},
    )
    work = Router("/v2", route_handlers=jobs.handlers(server), guards=[workers] if secured else [])
    return create_service(
        "process",
        [administration, work],
        verifier=verifier,
        ready=lambda: "The process server is shutting down." if server.host.closing else None,
        max_body=max(MAX_BODY, server.settings.document_limit + ROOM),
    )


def _already_exists(request: Request[Any, Any, Any], error: AlreadyExists) -> Response[bytes]:
    problem = from_process(error)
    problem.extensions["existingKey"] = error.existing_key
    return Response(
        msgspec.json.encode(problem.document(request.url.path)),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
    )
