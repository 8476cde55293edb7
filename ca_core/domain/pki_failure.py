"""Why a time-stamping authority issues no token (RFC 3161 §2.4.2)."""

from __future__ import annotations

from enum import IntEnum


class PkiFailure(IntEnum):
    """PKIFailureInfo: the number of each bit."""

    BAD_ALG = 0
    """The digest is not known, or not accepted."""
    BAD_REQUEST = 2
    """The request is understood, and not allowed."""
    BAD_DATA_FORMAT = 5
    """The bytes are not what they should be."""
    TIME_NOT_AVAILABLE = 14
    """What time it is cannot be told with the accuracy that tokens state."""
    UNACCEPTED_POLICY = 15
    UNACCEPTED_EXTENSION = 16
    ADD_INFO_NOT_AVAILABLE = 17
    """The certificates that were asked for are not there."""
    SYSTEM_FAILURE = 25

    @property
    def label(self) -> str:
        """As the RFC spells it: ``badAlg``."""
        first, *rest = self.name.lower().split("_")
        return first + "".join(part.capitalize() for part in rest)
