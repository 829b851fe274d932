"""Who is calling: OIDC tokens checked; a local issuer for development."""

from towpath.identity.tokens import Identity, TokenError, TokenSource, TokenVerifier

__all__ = ["Identity", "TokenError", "TokenSource", "TokenVerifier"]
