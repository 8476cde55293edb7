"""KPP, the code of a registration reason: tax office, reason, number. It has no checksum."""

from __future__ import annotations

import re

# The pattern of the tax service's XML schemas.
_KPP = re.compile(r"(?:[0-9][1-9]|[1-9][0-9])[0-9]{2}[0-9A-Z]{2}[0-9]{3}")


def is_kpp(value: str) -> bool:
    """Whether this is nine characters of that form."""
    return _KPP.fullmatch(value) is not None
