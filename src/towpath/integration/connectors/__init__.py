"""Connectors: what a route reaches the outside with. One module each, on the base in ``base.py``."""

from towpath.integration.connectors.base import Connector, Options
from towpath.integration.connectors.http import Answer, HttpConnector, http
from towpath.integration.connectors.soap import SoapConnector, SoapFault, soap
from towpath.integration.connectors.sql import SqlConnector, Transaction, sql

__all__ = [
    "Answer",
    "Connector",
    "HttpConnector",
    "Options",
    "SoapConnector",
    "SoapFault",
    "SqlConnector",
    "Transaction",
    "http",
    "soap",
    "sql",
]
