"""The REST API: parse, call a service, render. Never a rule of its own."""

from api.app import create_api

__all__ = ["create_api"]
