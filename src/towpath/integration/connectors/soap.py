"""SOAP services by zeep. The WSDL is read, and operations are called, in threads of the connector's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import zeep
import zeep.exceptions
from msgspec import field
from requests.adapters import HTTPAdapter
from zeep.helpers import serialize_object
from zeep.transports import Transport

from towpath.integration.connectors.base import Connector, Options
from towpath.integration.errors import BackendError, BackendTimeout, BackendUnavailable

T = TypeVar("T")

_TRY_AGAIN = frozenset({408, 429, 502, 503, 504})


class SoapOptions(Options, kw_only=True):
    """``url``: of the service; its WSDL is at ``url?wsdl``, or at ``url`` itself where that ends in
    ``wsdl`` or has a query. ``endpoint``: where operations go, if not where the WSDL says.

    Without ``endpoint`` the WSDL may only send us to its own host and port: a description from outside
    does not decide where a company's data goes. ``headers`` go with every request.
    """

    endpoint: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    username: str | None = None
    password: str | None = None
    pool: int = 8  # calls at a time, each in a thread
    max_body: int = 8 * 1024 * 1024


class SoapFault(BackendError):
    """The service refused with a SOAP fault. ``code`` is the fault's code, ``name`` that of its detail."""

    def __init__(self, backend: str, message: str, *, code: str, name: str | None) -> None:
        super().__init__(backend, message)
        self.message = message
        self.code = code
        self.name = name


class SoapConnector(Connector[SoapOptions]):
    """Operations of one SOAP service."""

    protocol = "soap"
    options_type = SoapOptions

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._threads: ThreadPoolExecutor | None = None
        self._session: requests.Session | None = None
        self._service: Any = None
        self._reading = asyncio.Lock()

    def check(self, options: SoapOptions) -> None:
        for key in ("url", "endpoint"):
            value = getattr(options, key)
            if value is not None and not value.startswith(("http://", "https://")):
                raise self.refuse(f"{key}: expected http(s)://...")

    async def open(self, connections: Mapping[str, dict[str, Any]]) -> None:
        await super().open(connections)
        options = self.options
        session = requests.Session()
        session.trust_env = False  # neither proxies nor passwords of whoever starts the service
        adapter = HTTPAdapter(pool_maxsize=options.pool)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        session.headers.update(options.headers)
        if options.username is not None:
            session.auth = (options.username, options.password or "")
        self._session = session
        self._threads = ThreadPoolExecutor(options.pool, thread_name_prefix=f"soap-{self.name}")
        self._reading = asyncio.Lock()

    async def close(self) -> None:
        if self._threads is not None:
            # A call under way ends by its own timeout; waiting for it must not stop the loop.
            await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
            self._threads = None
        if self._session is not None:
            self._session.close()
            self._session = None
        self._service = None
        await super().close()

    async def call(self, operation: str, **arguments: Any) -> Any:
        """Call ``operation``; its answer as JSON values.

        Raises :class:`SoapFault` for a fault, else as every connector does.
        """
        async with self._reading:
            if self._service is None:
                self._service = await self._in_thread(self._read_wsdl)
        service = self._service

        def send() -> Any:
            try:
                method = service[operation]
            except AttributeError:
                raise BackendError(self.name, f"its WSDL has no operation {operation!r}") from None
            return _plain(serialize_object(method(**arguments), dict))

        return await self._in_thread(send)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        self.options  # noqa: B018 (says that the connection is not open)
        assert self._threads is not None
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except BackendError:
            raise
        except zeep.exceptions.Fault as fault:
            raise self._fault(fault) from None
        except zeep.exceptions.TransportError as error:
            status = error.status_code or None
            kind = BackendUnavailable if status in _TRY_AGAIN else BackendError
            raise kind(self.name, f"it answered {status}", status=status) from None
        except requests.Timeout:
            raise BackendTimeout(self.name, f"no answer within {self.options.timeout:g} s") from None
        except requests.RequestException as error:
            raise BackendUnavailable(self.name, f"it cannot be reached ({type(error).__name__})") from error
        except (zeep.exceptions.Error, ValueError, TypeError) as error:
            # zeep says with these what does not fit the WSDL: an argument, or the answer.
            raise BackendError(self.name, f"{type(error).__name__}: {error}") from error

    def _fault(self, fault: zeep.exceptions.Fault) -> SoapFault:
        detail = fault.detail
        name = None
        if detail is not None and len(detail):
            name = str(detail[0].tag).rpartition("}")[2]
        return SoapFault(self.name, str(fault.message), code=str(fault.code or ""), name=name)

    def _read_wsdl(self) -> Any:
        options = self.options
        assert self._session is not None
        transport = _BoundedTransport(self._session, options)
        url = options.url if "?" in options.url or options.url.endswith("wsdl") else f"{options.url}?wsdl"
        strict = zeep.Settings(strict=True, forbid_dtd=True, forbid_entities=True)
        client = zeep.Client(url, transport=transport, settings=strict)
        service = client.service
        address = options.endpoint or service._binding_options["address"]
        if options.endpoint is None and urlsplit(address)[:2] != urlsplit(options.url)[:2]:
            raise BackendError(
                self.name, f"its WSDL sends calls to {urlsplit(address).netloc}; set 'endpoint' to allow that"
            )
        return client.create_service(service._binding.name, address)


class _BoundedTransport(Transport):
    """zeep's transport without redirects, with a bound on what is read, and on whom it is read from."""

    def __init__(self, session: requests.Session, options: SoapOptions) -> None:
        limits = {"timeout": options.timeout, "operation_timeout": options.timeout}
        super().__init__(session=session, **limits)  # type: ignore[no-untyped-call]
        self._origin = urlsplit(options.url)[:2]
        self._max_body = options.max_body

    def post(self, address: str, message: bytes, headers: Mapping[str, str]) -> requests.Response:
        return self._bounded("POST", address, data=message, headers=dict(headers))

    def load(self, url: str) -> bytes:
        """The WSDL and what it imports. Files and other hosts are not its to make us read."""
        if urlsplit(url)[:2] != self._origin:
            raise zeep.exceptions.ExternalReferenceForbidden(url)
        response = self._bounded("GET", url)
        if response.status_code != requests.codes.ok:
            raise zeep.exceptions.TransportError(
                message="The WSDL cannot be read.", status_code=response.status_code
            )
        return response.content

    def _bounded(self, method: str, url: str, **more: Any) -> requests.Response:
        with self.session.request(
            method, url, timeout=self.operation_timeout, allow_redirects=False, stream=True, **more
        ) as response:
            content = bytearray()
            for chunk in response.iter_content(65_536):
                content += chunk
                if len(content) > self._max_body:
                    raise requests.exceptions.ContentDecodingError(f"more than {self._max_body} bytes")
            response._content = bytes(content)
            return response


def _plain(value: Any) -> Any:
    """XSD's values as JSON's: times as ISO 8601, decimals as numbers."""
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal():
            return float(value)
        case bytes():
            raise ValueError("binary content is not supported")
        case _:
            return value


def soap(connection: str) -> SoapConnector:
    """The service whose WSDL ``[integration.connections.<connection>]`` names."""
    return SoapConnector(connection)
