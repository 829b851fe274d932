"""The process server: hosts the functional core on a store and offers its API."""
