"""The API's description, made from what is deployed."""

from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from tests.facade.conftest import Tokens, World, deploy, open_process, open_world, settings
from towpath.facade import FacadeSettings, ResourceSettings, create_app


async def test_the_document_is_public_and_valid(world: World) -> None:
    answer = await world.nobody("GET", "/openapi.json")
    assert answer.status == 200
    document = answer.json
    assert document["openapi"].startswith("3.1")
    validate(document)


async def test_it_describes_each_resource_with_the_schemas_of_its_forms(world: World) -> None:
    document = (await world.nobody("GET", "/openapi.json")).json
    start = document["components"]["schemas"]["TicketsStart"]
    assert start["required"] == ["subject"]
    assert start["properties"]["floor"] == {"type": "number", "minimum": 0, "maximum": 40, "title": "Floor"}
    assert start["properties"]["urgency"]["enum"] == ["low", "high"]
    body = document["paths"]["/tickets"]["post"]["requestBody"]["content"]
    assert "photos" in body["multipart/form-data"]["schema"]["properties"]
    assert document["components"]["schemas"]["CompleteAssess"]["required"] == ["accepted"]
    assert (
        document["paths"]["/tickets/{id}/messages/ticket-confirmed"]["post"]["summary"] == "Confirm the visit"
    )


async def test_every_operation_says_how_it_refuses_and_who_may_call(world: World) -> None:
    document = (await world.nobody("GET", "/openapi.json")).json
    assert document["components"]["securitySchemes"]["openId"] == {
        "type": "openIdConnect",
        "openIdConnectUrl": "https://issuer.example/.well-known/openid-configuration",
    }
    operations = [
        operation
        for path in document["paths"].values()
        for method, operation in path.items()
        if method != "parameters"
    ]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        problem = operation["responses"]["401"]["content"]
        assert list(problem) == ["application/problem+json"]


async def test_processes_without_a_table_are_not_described(world: World) -> None:
    document = (await world.nobody("GET", "/openapi.json")).json
    assert not [path for path in document["paths"] if path.startswith("/ticket-visit")]


async def test_it_is_made_anew_when_something_is_deployed(tmp_path: Path) -> None:
    async with open_process(tmp_path) as server:
        configured = settings()
        configured.resources["reports"] = ResourceSettings(process="nightly-report")
        async with open_world(server, configured) as world:
            before: dict[str, Any] = (await world.nobody("GET", "/openapi.json")).json
            assert "/reports" not in before["paths"]
            ready = await world.nobody("GET", "/health/ready")
            assert (ready.status, "nightly-report" in ready.json["reason"]) == (503, True)
            assert (await world.olga("GET", "/reports")).status == 503
            await deploy(server, "nightly-report.bpmn", "report-ticket.form", "assess-ticket.form")
            await deploy(server, "ticket.bpmn", "ticket-visit.bpmn")
            after = (await world.nobody("GET", "/openapi.json")).json
            assert {"/reports", "/tickets"} <= after["paths"].keys()
            validate(after)
            assert (await world.nobody("GET", "/health/ready")).status == 200


async def test_the_page_to_try_it_uses_our_own_assets_only(world: World) -> None:
    answer = await world.nobody("GET", "/docs")
    assert answer.status == 200
    assert "/assets/swagger-ui/swagger-ui-bundle.js" in answer.text
    assert "/assets/swagger-ui/swagger-ui.css" in answer.text
    assert "://" not in answer.text


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        ("tasks", ResourceSettings(process="p")),
        ("Claims", ResourceSettings(process="p")),
        ("claims", ResourceSettings(process="p", id_prefix="c_")),
    ],
)
def test_a_resource_that_cannot_be_served_is_refused_by_name(name: str, resource: ResourceSettings) -> None:
    with pytest.raises(ValueError, match=f"facade.resources.{name}"):
        FacadeSettings(resources={name: resource})


def test_a_link_secret_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="link_secret"):
        create_app(
            settings(),
            process=None,  # type: ignore[arg-type]
            verifier=Tokens(),
            public_url="https://tickets.example",
            link_secret="secret",
        )
