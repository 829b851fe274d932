"""A local OIDC issuer for development: demo accounts, authorization code with PKCE, client credentials.

It exists so that a newcomer needs no identity provider; it is not one for production, and refuses to
serve where others can reach it unless it is told to. ``create_issuer`` makes the application;
``service_secret`` is the secret with which our own services get tokens from it.
"""

from towpath.identity.issuer.app import create_issuer
from towpath.identity.issuer.keys import private_file, service_secret

__all__ = ["create_issuer", "private_file", "service_secret"]
