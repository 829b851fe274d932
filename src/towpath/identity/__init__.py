"""Who is calling: OIDC tokens checked; a local issuer for development.

A service checks bearer tokens with an :class:`OidcVerifier` and calls others with the token of
:class:`ClientCredentials`. Any OIDC issuer will do; ``towpath.identity.issuer`` is one for development.
Nothing here imports anything else of ours.
"""

from towpath.identity.credentials import ClientCredentials
from towpath.identity.discovery import IssuerUnavailableError
from towpath.identity.settings import AccountSettings, ClientSettings, IdentitySettings, IssuerSettings
from towpath.identity.tokens import Identity, TokenError, TokenSource, TokenVerifier
from towpath.identity.verifier import OidcVerifier

__all__ = [
    "AccountSettings",
    "ClientCredentials",
    "ClientSettings",
    "Identity",
    "IdentitySettings",
    "IssuerSettings",
    "IssuerUnavailableError",
    "OidcVerifier",
    "TokenError",
    "TokenSource",
    "TokenVerifier",
]
