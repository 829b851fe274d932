"""Everything that can be known to be wrong with a solution before it starts, told at once."""

from __future__ import annotations

import ipaddress
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from towpath import bpmn, dmn
from towpath.bpmn import Process
from towpath.faults import Fault, Faulty
from towpath.frontend.notify import load_templates
from towpath.integration import check_connections
from towpath.solution import code, toml
from towpath.solution.code import Parts
from towpath.solution.settings import SERVICES, Settings

NOTIFY_JOB = "notify"
"""The job type that the notification service itself serves."""


@dataclass
class Models:
    """What the solution's files define, each with the file that does."""

    processes: dict[str, tuple[str, Process]] = field(default_factory=dict)
    decisions: dict[str, str] = field(default_factory=dict)
    forms: dict[str, str] = field(default_factory=dict)
    complete: bool = True  # False: a file could not be read, so that "not found" proves nothing


def solution(root: Path, text: str, settings: Settings, parts: Parts) -> list[Fault]:
    """The faults of the solution in ``root`` (its Python's are in ``parts``), warnings among them."""
    faults: list[Fault] = []
    models = _models(root, faults)
    templates = _templates(root, faults)
    faults += _references(models, parts, settings, templates)
    faults += _facade(settings, text, models)
    faults += _addresses(settings, text)
    faults += _connections(root, settings, parts)
    faults += _identity(settings, text)
    return faults


# --- models ---------------------------------------------------------------------------------------


def _models(root: Path, faults: list[Fault]) -> Models:
    models = Models()
    for file in _files(root, "processes", ".bpmn", faults):
        name = str(file.relative_to(root))
        try:
            definitions = bpmn.read(file.read_bytes(), name)
        except Faulty as faulty:
            faults += [fault.in_file(name) for fault in faulty.faults]
            models.complete = False
            continue
        for process in definitions.processes:
            if process.id in models.processes:
                faults.append(_twice("process", process.id, name, models.processes[process.id][0]))
            models.processes[process.id] = (name, process)
    tables = _files(root, "decisions", ".dmn", faults)
    imports = dmn.by_namespace((str(file.relative_to(root)), file.read_bytes()) for file in tables)
    for file in tables:
        name = str(file.relative_to(root))
        try:
            model = dmn.read(file.read_bytes(), name, imports=imports)
        except Faulty as faulty:
            faults += [fault.in_file(name) for fault in faulty.faults]
            models.complete = False
            continue
        faults += model.warnings
        for decision in model.decisions:
            if decision in models.decisions:
                faults.append(_twice("decision", decision, name, models.decisions[decision]))
            models.decisions[decision] = name
    for file in _files(root, "forms", ".form", faults):
        name = str(file.relative_to(root))
        form = _form(file, name, faults)
        if form is None:
            models.complete = False
        elif form in models.forms:
            faults.append(_twice("form", form, name, models.forms[form]))
        else:
            models.forms[form] = name
    if not models.processes and models.complete:
        faults.append(
            Fault(
                message="The solution has no process.",
                rule="solution.no-process",
                remedy="Put a BPMN file that Camunda Modeler can make into processes/.",
                file="processes",
            )
        )
    return models


def _files(root: Path, folder: str, suffix: str, faults: list[Fault]) -> list[Path]:
    where = root / folder
    if not where.is_dir():
        return []
    files = sorted(where.iterdir())
    faults += [
        Fault(
            message=f"This is not a {suffix} file, so it is not deployed.",
            rule="solution.stray-file",
            remedy=f"Rename it to end in {suffix}, or move it elsewhere.",
            file=str(file.relative_to(root)),
            severity="warning",
        )
        for file in files
        if file.is_file() and file.suffix != suffix and not file.name.startswith(".")
    ]
    return [file for file in files if file.suffix == suffix]


def _form(file: Path, name: str, faults: list[Fault]) -> str | None:
    """The form's id, or None with a fault told."""
    try:
        form = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        faults.append(
            Fault(
                message=f"This is not JSON: {error.msg}.",
                rule="form.json",
                remedy="A form is the JSON document that form-js or Camunda Modeler saves.",
                file=name,
                line=error.lineno,
                column=error.colno,
            )
        )
        return None
    except UnicodeDecodeError as error:
        faults.append(Fault(message=f"This is not UTF-8: {error}.", rule="form.encoding", file=name))
        return None
    if not isinstance(form, dict) or not isinstance(form.get("components"), list):
        faults.append(
            Fault(
                message="This is not a form-js form: it has no list `components`.",
                rule="form.components",
                remedy="Make it with Camunda Modeler or form-js.",
                file=name,
            )
        )
        return None
    form_id = form.get("id")
    if not isinstance(form_id, str) or not form_id:
        faults.append(
            Fault(
                message="The form has no id, so no task can use it.",
                rule="form.id",
                remedy='Give it an "id".',
                file=name,
            )
        )
        return None
    return form_id


def _twice(what: str, name: str, file: str, other: str) -> Fault:
    return Fault(
        message=f"The {what} {name!r} is already defined in {other}.",
        rule=f"solution.{what}-twice",
        remedy="Ids are unique in a solution: rename one.",
        file=file,
        element=name,
    )


def _templates(root: Path, faults: list[Fault]) -> set[str] | None:
    """The names of the notification templates, or None where they could not be read."""
    folder = root / "notifications"
    if not folder.is_dir():
        return set()
    try:
        return set(load_templates(folder))
    except Faulty as faulty:
        faults += [f.in_file(f"notifications/{Path(f.file or '').name}") for f in faulty.faults]
        return None


# --- what one file says of another ---------------------------------------------------------------


def _references(
    models: Models, parts: Parts, settings: Settings, templates: set[str] | None
) -> Iterable[Fault]:
    served = {worker.type for worker in parts.workers} | {NOTIFY_JOB, *settings.workers.external}
    served |= {job for route in parts.routes for job in route.job_types}
    for file, process in models.processes.values():
        if not parts.faults:  # a file that could not be imported may serve any of them
            yield from _unknown(
                file,
                process.job_types,
                served,
                rule="solution.job-type",
                message="No worker or route serves the job type {!r}.",
                remedy="Write a @worker in services/, a job route in integrations/, or list it under "
                "[workers] external where it runs elsewhere.",
            )
        if models.complete:
            yield from _unknown(
                file,
                process.called_decisions,
                models.decisions,
                rule="solution.decision",
                message="The decision {!r} is in no file of decisions/.",
                remedy="Correct the id, or add the DMN file.",
            )
            yield from _unknown(
                file,
                process.called_processes,
                models.processes,
                rule="solution.process",
                message="The called process {!r} is in no file of processes/.",
                remedy="Correct the id, or add the BPMN file.",
            )
            yield from _unknown(
                file,
                process.forms,
                models.forms,
                rule="solution.form",
                message="The form {!r} is in no file of forms/.",
                remedy="Correct the id, or add the form.",
            )
        if templates is not None:
            yield from _unknown(
                file,
                _template_names(process),
                templates,
                rule="solution.template",
                message="The notification template {!r} is not in notifications/.",
                remedy="Add notifications/NAME.toml with a title and a body.",
            )


def _template_names(process: Process) -> Iterable[tuple[str, str, int | None]]:
    """The notification templates that the process names, each with the element and its line."""
    for job in process.job_types:
        if job.id == NOTIFY_JOB:
            template = process.element(job.element_id).headers.get("template")
            if template:
                yield template, job.element_id, job.line


def _unknown(
    file: str,
    named: Iterable[tuple[str, str, int | None]],
    known: Iterable[str],
    *,
    rule: str,
    message: str,
    remedy: str,
) -> Iterable[Fault]:
    known = set(known)
    for name, element, line in named:
        if name not in known:
            yield Fault(
                message=message.format(name),
                rule=rule,
                remedy=remedy,
                file=file,
                line=line,
                element=element,
            )


def _facade(settings: Settings, text: str, models: Models) -> Iterable[Fault]:
    for name, resource in settings.facade.resources.items():
        if resource.process not in models.processes and models.complete:
            yield Fault(
                message=f"The resource {name!r} is of the process {resource.process!r}, which is in no file "
                "of processes/.",
                rule="solution.resource-process",
                remedy=f"The processes are: {', '.join(sorted(models.processes)) or 'none'}.",
                file=toml.FILE,
                line=toml.line_of(text, ["facade", "resources", name, "process"]),
            )


# --- addresses and identity -----------------------------------------------------------------------


def _addresses(settings: Settings, text: str) -> Iterable[Fault]:
    ports: list[tuple[int, list[str | int]]] = [
        (settings.services.port(name), ["services", name]) for name in ("gateway", "gateway_admin", *SERVICES)
    ]
    for index, backend in enumerate(settings.backends):
        ports.append((backend.port, ["backends", index, "port"]))
        if backend.http_port is not None:
            ports.append((backend.http_port, ["backends", index, "http_port"]))
    count = Counter(port for port, _ in ports if port)
    for port, path in ports:
        if not 0 <= port <= 65535:
            message, rule = f"{port} is no port.", "solution.port"
        elif count[port] > 1:
            message, rule = f"The port {port} is given to more than one service.", "solution.port-twice"
        else:
            continue
        yield Fault(
            message=message,
            rule=rule,
            remedy="Ports are different numbers from 1 to 65535, or 0 for any free one.",
            file=toml.FILE,
            line=toml.line_of(text, path),
        )
    for name, times in Counter(backend.name for backend in settings.backends).items():
        if times > 1:
            yield Fault(
                message=f"Two back ends are called {name!r}.",
                rule="solution.backend-twice",
                remedy="Rename one.",
                file=toml.FILE,
                line=toml.line_of(text, ["backends"]),
            )


def _connections(root: Path, settings: Settings, parts: Parts) -> Iterable[Fault]:
    try:
        check_connections(parts.routes, settings.integration)
    except Faulty as faulty:
        yield from (code.relative(fault, root) for fault in faulty.faults)


def _identity(settings: Settings, text: str) -> Iterable[Fault]:
    identity = settings.identity
    if identity.issuer != "local":
        parts = urlsplit(identity.issuer)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            yield Fault(
                message=f"The issuer {identity.issuer!r} is neither `local` nor a URL.",
                rule="solution.issuer",
                remedy='Write issuer = "https://..." as your identity provider names itself.',
                file=toml.FILE,
                line=toml.line_of(text, ["identity", "issuer"]),
            )
        return
    if not loopback(settings.services.host) and not identity.allow_remote:
        yield Fault(
            message=f"The local issuer, with its demo accounts, would listen on {settings.services.host}.",
            rule="solution.local-issuer",
            remedy="Use a real issuer, or set allow_remote = true under [identity] if you mean it.",
            file=toml.FILE,
            line=toml.line_of(text, ["services", "host"]),
        )


def loopback(host: str) -> bool:
    """True where only this machine can reach ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
