"""Decisions that are deployed to the server and evaluated by it."""

import pytest

from tests.process.conftest import Open
from towpath.wire import EvaluateDecision, ProcessError, Resource


def model(name: str, inside: str) -> Resource:
    xml = f"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="{name}" name="{name}"
        namespace="http://example.org/{name}">{inside}</definitions>"""
    return Resource(name=f"{name}.dmn", content=xml.encode())


def rates(rate: str) -> Resource:
    decision = f"<literalExpression><text>{rate}</text></literalExpression>"
    return model("rates", f'<decision id="rate" name="rate"><variable name="rate"/>{decision}</decision>')


PRICES = model(
    "prices",
    """<import namespace="http://example.org/rates" name="rates"
         importType="https://www.omg.org/spec/DMN/20191111/MODEL/"/>
       <decision id="price" name="price"><variable name="price"/>
         <informationRequirement><requiredDecision href="http://example.org/rates#rate"/></informationRequirement>
         <literalExpression><text>amount * rates.rate</text></literalExpression></decision>""",
)


async def test_a_decision_may_import_one_of_the_same_deployment_also_after_a_restart(opening: Open) -> None:
    server = await opening()
    await server.deploy([PRICES, rates("1.5")])
    request = EvaluateDecision(decision_definition_id="price", variables={"amount": 20})
    assert (await server.evaluate_decision(request)).output == 30
    server = await opening()
    assert (await server.evaluate_decision(request)).output == 30


async def test_a_decision_keeps_what_it_imported_until_it_is_deployed_again(opening: Open) -> None:
    server = await opening()
    await server.deploy([PRICES, rates("1.5")])
    await server.deploy([rates("2")])
    request = EvaluateDecision(decision_definition_id="price", variables={"amount": 20})
    assert (await server.evaluate_decision(request)).output == 30
    server = await opening()
    assert (await server.evaluate_decision(request)).output == 30
    await server.deploy([PRICES, rates("2")])
    assert (await server.evaluate_decision(request)).output == 40


async def test_an_import_that_is_not_deployed_together_is_refused(opening: Open) -> None:
    server = await opening()
    with pytest.raises(ProcessError, match="rates is not at hand"):
        await server.deploy([PRICES])
