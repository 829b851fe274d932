"""The API gateway: Envoy, configured from the solution."""
