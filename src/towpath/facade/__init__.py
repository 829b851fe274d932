"""The process facade: each deployed process as an API in the terms of the business.

:func:`create_app` makes the service. A resource (``/claims``) is a process under its business name;
callers see what is theirs, by business ids; the description at ``/openapi.json`` is made from the deployed
processes and their forms. Nothing of the engine leaks through.
"""

from towpath.facade.app import create_app
from towpath.facade.settings import FacadeSettings, ResourceSettings

__all__ = ["FacadeSettings", "ResourceSettings", "create_app"]
