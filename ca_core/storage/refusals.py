"""What the database says when it refuses, in the words of the one error tree."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    OperationalError,
    SQLAlchemyError,
    TimeoutError as PoolTimeout,
)

from ca_core.domain.errors import (
    ApprovalNeeded,
    CaError,
    ConfigurationError,
    Conflict,
    Duplicate,
    IntegrityAlarm,
    InvalidInput,
    SelfApproval,
    TryAgain,
    WrongState,
)

_TRIGGERS: Mapping[str, CaError] = {
    "self_approval": SelfApproval("who edited or requested does not approve; somebody else has to"),
    "approval_round": WrongState("the application was changed since; approve what it says now"),
    "approvals_missing": ApprovalNeeded("the database has not enough approvals of exactly this for a certificate"),
    "change_unconfirmed": ApprovalNeeded("a privileged role is given by a change that somebody else confirmed"),
    "certificate_step": WrongState("a certificate cannot go from its state to that one"),
    "mass_unapproved": ApprovalNeeded("a mass revocation is carried out when somebody else approved it"),
    "import_open": WrongState("an import begins without a count, and ends with one"),
    "crl_number": Conflict("a list with a higher number is published already"),
    "counter": IntegrityAlarm("a counter was to be set back"),
    "timestamp_place": IntegrityAlarm("a time-stamp token was to be kept out of its place, or to go back in time"),
    "immutable": IntegrityAlarm("a record that never changes was to be changed"),
}
"""Errors by the names that triggers raise."""

_UNIQUE = ("UNIQUE constraint failed", "duplicate key value", "uq_", "PRIMARY KEY")
_CONFLICTS = ("40001", "40P01", "55P03")
"""SQLSTATEs: serialization failure, deadlock, lock not available."""
_DAMAGED = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT})
_LASTING = frozenset({sqlite3.SQLITE_ERROR, sqlite3.SQLITE_READONLY})
"""What SQLite reports as operational although another try ends the same."""


@contextmanager
def translated() -> Iterator[None]:
    """Database errors become errors of ours; nothing else of the driver leaves the storage."""
    try:
        yield
    except IntegrityError as error:
        raise _integrity(error) from error
    except PoolTimeout as error:
        raise TryAgain("the database is busy or out of reach; try again") from error
    except (DataError, UnicodeEncodeError, OverflowError) as error:
        raise InvalidInput("a value is too long, too large or holds a character that cannot be kept") from error
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in _CONFLICTS:
            raise TryAgain("somebody else changed the same thing; try again") from error
        lasting = getattr(error.orig, "sqlite_errorcode", None) in _LASTING
        if error.connection_invalidated or (isinstance(error, OperationalError) and not lasting):
            raise TryAgain("the database is busy or out of reach; try again") from error
        if getattr(error.orig, "sqlite_errorcode", None) in _DAMAGED:
            raise ConfigurationError(
                f"the database cannot be read ({error.orig}); restore it from a backup, or name another in [database]"
            ) from error
        # What SQLite says of a wrong statement names tables and columns, never values.
        said = f" ({error.orig})" if lasting else ""
        raise IntegrityAlarm(f"the database refused a statement: {type(error.orig).__name__}{said}") from error
    except (SQLAlchemyError, TypeError, ValueError) as error:  # drivers refuse some values in Python's own words
        raise IntegrityAlarm(f"a statement for the database is wrong: {type(error).__name__}") from error


def _integrity(error: IntegrityError) -> CaError:
    message = str(error.orig)
    for name, meaning in _TRIGGERS.items():
        if name in message.split("\n")[0]:
            return type(meaning)(meaning.detail)
    if getattr(error.orig, "sqlstate", None) == "23505" or any(mark in message for mark in _UNIQUE):
        return Duplicate("the same thing exists already")
    return IntegrityAlarm("the database refused a row that breaks its rules")
