"""The command line."""

from towpath.cli.main import main

__all__ = ["main"]
