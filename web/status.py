"""HTTP statuses of error classes: one table for the API and the sites."""

from __future__ import annotations

from collections.abc import Mapping

from ca_core.domain import errors

STATUS: Mapping[type[errors.CaError], int] = {
    errors.InvalidInput: 422,
    errors.PreconditionRequired: 428,
    errors.NotAuthenticated: 401,
    errors.NotPermitted: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.StaleVersion: 412,
    errors.Refused: 422,
    errors.RateLimited: 429,
    errors.TryAgain: 503,
}
"""By the nearest class in the error's ancestry; whatever is not here is 500."""


def status_of(error: errors.CaError) -> int:
    """The HTTP status of an error."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
