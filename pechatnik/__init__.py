"""The program: command line, configuration, wiring, server and worker processes."""

__version__ = "0.1.0"
