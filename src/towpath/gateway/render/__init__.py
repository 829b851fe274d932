"""Envoy's configuration as JSON values, from settings, upstreams and routes. Reads and writes no files
except for the certificate that the settings name."""

from towpath.gateway.render.configuration import Configuration, Places

__all__ = ["Configuration", "Places"]
