"""The command line, `reseed`."""

from reseed.cli._main import main

__all__ = ["main"]
