"""The process server's REST API under ``/v2``, in the shape of Camunda 8's; see docs/process-server.md."""

from towpath.process.rest.app import create_app

__all__ = ["create_app"]
