"""Reading a solution's integrations folder, and what is said of mistakes in it."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from towpath.faults import Fault, Faulty
from towpath.integration import IntegrationSettings, Route, check_connections, load_routes

HEAD = "from towpath.integration import route, http, sql, Retry, Identity, settings\n"


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(HEAD + textwrap.dedent(text))


def faults_of(folder: Path) -> list[Fault]:
    with pytest.raises(Faulty) as caught:
        load_routes(folder)
    return list(caught.value.faults)


def only_fault(folder: Path, text: str) -> Fault:
    write(folder, "routes.py", text)
    (fault,) = faults_of(folder)
    return fault


def test_a_folder_that_is_not_there_has_no_routes(tmp_path: Path) -> None:
    assert load_routes(tmp_path / "none") == []


def test_a_route_knows_its_endpoints_and_where_it_was_written(tmp_path: Path) -> None:
    write(
        tmp_path,
        "orders.py",
        '''
        @route("job:ship", "http:PUT /orders/{number}", timeout=2,
            retry=Retry(attempts=3, initial=1, factor=2))
        async def ship(number: str, fast: bool = False) -> None:
            """Ship an order."""
        ''',
    )
    (route,) = load_routes(tmp_path)
    assert route.id == "ship"
    assert route.summary == "Ship an order."
    assert route.job_types == ("ship",)
    assert [(e.method, e.path, e.users) for e in route.http_endpoints] == [("PUT", "/orders/{number}", False)]
    assert (Path(route.file).name, route.line) == ("orders.py", 3)
    assert route.variables == ("number", "fast")
    assert route.longest() == 3 * 2 + 1 + 2


def test_files_share_what_stands_in_a_file_with_an_underscore(tmp_path: Path) -> None:
    write(tmp_path, "_shared.py", "crm = http('crm')\nPATH = 'http:GET /shared'\n")
    write(
        tmp_path,
        "a.py",
        """
        from ._shared import PATH, crm
        @route(PATH)
        async def shared() -> None: ...
        """,
    )
    (route,) = load_routes(tmp_path)
    assert [connector.name for connector in route.connectors] == ["crm"]


def test_two_solutions_with_files_of_the_same_name_do_not_meet(tmp_path: Path) -> None:
    loaded: list[Route] = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(
            tmp_path / name,
            "same.py",
            f"""
            @route("http:GET /{name}")
            async def same() -> None: ...
            """,
        )
        loaded += load_routes(tmp_path / name)
    assert [route.http_endpoints[0].path for route in loaded] == ["/one", "/two"]


def test_every_fault_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "def broken(:\n    pass\n")
    write(tmp_path, "b.py", "\nimport no_such_module\n")
    write(tmp_path, "c.py", "\n@route('jobs:x')\nasync def c() -> None: ...\n")
    faults = {Path(f.file or "").name: f for f in faults_of(tmp_path)}
    assert faults["a.py"].line == 2
    assert "not Python" in faults["a.py"].message
    assert faults["b.py"].line == 3
    assert "no_such_module" in faults["b.py"].message
    assert faults["c.py"].line == 3
    assert "job:TYPE" in faults["c.py"].message


def test_an_unknown_option_is_refused_by_name_and_line(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, "\n@route('job:x', retries=3)\nasync def x() -> None: ...\n")
    assert "'retries'" in fault.message
    assert fault.line == 3


def test_an_unknown_option_in_an_endpoint_is_refused_by_name(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, "@route('job:x?timeout=3')\nasync def x() -> None: ...\n")
    assert "'timeout'" in fault.message


def test_a_retry_that_makes_no_sense_is_refused_at_its_line(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, "\n\nnever = Retry(attempts=0)\n")
    assert "attempts=0" in fault.message
    assert fault.line == 4


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("http:/x", "no HTTP method"),
        ("http:GET x", "no usable path"),
        ("http:GET /a//b", "no usable path"),
        ("http:GET /a/{1}", "no usable path"),
        ("http:GET /{a}/{a}", "path parameter twice"),
        ("http:GET /health/x", "belongs to the integration service"),
        ("job:", "names no job type"),
        ("ftp:x", "is no endpoint"),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused(tmp_path: Path, endpoint: str, said: str) -> None:
    text = f"@route({endpoint!r})\nasync def x(a: str) -> None: ...\n"
    assert said in only_fault(tmp_path, text).message


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("def x() -> None: ...", "async"),
        ("async def x(a) -> None: ...", "'a' has no type"),
        ("async def x(*a: str) -> None: ...", "only named parameters"),
        ("async def x(a: Missing) -> None: ...", "Missing"),
        ("async def x(a: type[int]) -> None: ...", "JSON cannot give"),
        ("async def x(who: Identity) -> None: ...", "a job has no caller"),
    ],
)
def test_a_function_that_cannot_be_called_with_a_message_is_refused(
    tmp_path: Path, function: str, said: str
) -> None:
    assert said in only_fault(tmp_path, f"@route('job:x')\n{function}\n").message


def test_a_path_parameter_that_nobody_takes_is_refused(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, "@route('http:GET /a/{number}')\nasync def x(nummer: str) -> None: ...\n")
    assert "'number'" in fault.message


def test_two_routes_cannot_answer_the_same_endpoint(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "@route('http:GET /x/{a}', 'job:x')\nasync def a(a: str = '') -> None: ...\n")
    write(tmp_path, "b.py", "@route('http:GET /x/{b}', 'job:x')\nasync def b(b: str = '') -> None: ...\n")
    faults = faults_of(tmp_path)
    assert len(faults) == 2
    assert all("a.py:2" in f.message and Path(f.file or "").name == "b.py" for f in faults)


def test_a_connection_that_is_missing_is_told_where_it_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "\ncrm = http('crm')\n@route('job:x')\nasync def x() -> None: ...\n")
    with pytest.raises(Faulty) as caught:
        check_connections(load_routes(tmp_path), IntegrationSettings())
    (fault,) = caught.value.faults
    assert "[integration.connections.crm]" in fault.message
    assert (Path(fault.file or "").name, fault.line) == ("a.py", 3)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"url": "http://127.0.0.1:1", "retries": 3}, "retries"),
        ({"url": "http://127.0.0.1:1", "timeout": "long"}, "timeout"),
        ({"url": "127.0.0.1"}, "http(s)://"),
        ({}, "url"),
    ],
)
def test_a_connection_with_what_its_connector_does_not_know_is_refused(
    tmp_path: Path, table: dict[str, object], said: str
) -> None:
    write(tmp_path, "a.py", "crm = http('crm')\n@route('job:x')\nasync def x() -> None: ...\n")
    with pytest.raises(Faulty, match="crm") as caught:
        check_connections(load_routes(tmp_path), IntegrationSettings(connections={"crm": table}))
    assert said in caught.value.faults[0].message
