"""Exit codes of the contract, by error class; the only place that knows them."""

from __future__ import annotations

from collections.abc import Mapping

from ca_core.domain import errors

DONE = 0
FAILURE = 1
USAGE = 2
NEGATIVE = 3
NOT_FOUND = 4
NOT_PERMITTED = 5
CONFLICT = 6
TRY_AGAIN = 75
CONFIGURATION = 78
INTERRUPTED = 130

BY_ERROR: Mapping[type[errors.CaError], int] = {
    errors.InvalidInput: USAGE,
    errors.NotPermitted: NOT_PERMITTED,
    errors.NotFound: NOT_FOUND,
    errors.Conflict: CONFLICT,
    errors.Refused: NEGATIVE,
    errors.TryAgain: TRY_AGAIN,
    # A client may try again while somebody mends it; whoever runs the command is the one to mend it.
    errors.KeyMissing: CONFIGURATION,
    errors.KeyLocked: CONFIGURATION,
    errors.ConfigurationError: CONFIGURATION,
}


def exit_code_of(error: errors.CaError) -> int:
    """The exit code of an error, by the nearest class in its ancestry; 1 for whatever is not listed."""
    return next((BY_ERROR[kind] for kind in type(error).__mro__ if kind in BY_ERROR), FAILURE)
