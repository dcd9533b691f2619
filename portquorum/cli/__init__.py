"""The command line: `portquorum --help`."""

from portquorum.cli.main import main

__all__ = ["main"]
