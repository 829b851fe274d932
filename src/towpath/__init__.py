"""Towpath: the process platform for customer journeys that cross channels."""

__version__ = "0.1.0"
