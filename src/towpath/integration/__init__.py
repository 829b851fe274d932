"""Integration microservices: routes that shield the company from its back ends and third parties.

A solution's ``integrations/*.py`` hold typed async functions made routes by :func:`route`; they take their
messages from endpoints (a job type of the process server, an HTTP operation) and reach the outside through
connectors (:func:`sql`, :func:`http`, :func:`soap`). The route engine does what every one of them needs:
timeouts, retries with backoff, dead letters, counts. :func:`load_routes` reads the folder and
:func:`create_app` serves it.
"""

from towpath.client import BpmnError
from towpath.identity import Identity
from towpath.integration.connectors import Answer, SoapFault, http, soap, sql
from towpath.integration.engine import check_connections
from towpath.integration.errors import (
    BackendError,
    BackendTimeout,
    BackendUnavailable,
    ConfigurationError,
    InvalidInput,
)
from towpath.integration.exchange import Exchange, Message
from towpath.integration.loader import load_routes
from towpath.integration.retry import Retry
from towpath.integration.routes import Route, collecting, route
from towpath.integration.service import create_app
from towpath.integration.settings import IntegrationSettings, settings
from towpath.wire import Job

__all__ = [
    "Answer",
    "BackendError",
    "BackendTimeout",
    "BackendUnavailable",
    "BpmnError",
    "ConfigurationError",
    "Exchange",
    "Identity",
    "IntegrationSettings",
    "InvalidInput",
    "Job",
    "Message",
    "Retry",
    "Route",
    "SoapFault",
    "check_connections",
    "collecting",
    "create_app",
    "http",
    "load_routes",
    "route",
    "settings",
    "soap",
    "sql",
]
