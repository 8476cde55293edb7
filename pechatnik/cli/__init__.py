"""The command line: ``pechatnik NOUN VERB``."""

from pechatnik.cli.program import main

__all__ = ["main"]
