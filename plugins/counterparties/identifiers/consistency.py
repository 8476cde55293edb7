"""What an application's numbers say about each other, without asking any register."""

from __future__ import annotations

from collections.abc import Mapping

from ca_core.domain.application import CheckMode, CheckVerdict
from ca_core.services.ports import CheckOutcome
from plugins.counterparties.identifiers.inn import is_legal, is_person
from plugins.counterparties.identifiers.ogrn import is_ogrn, is_ogrnip
from plugins.counterparties.identifiers.snils import is_snils

NUMBERS = {"INN": is_person, "INNLE": is_legal, "OGRN": is_ogrn, "OGRNIP": is_ogrnip, "SNILS": is_snils}
"""Subject attributes that are numbers with a checksum."""
TAXPAYER = {"OGRN": "INNLE", "OGRNIP": "INN"}
"""Which taxpayer's number belongs to a registration."""


class IdentifierConsistency:
    """The check ``ru.identifiers``.

    It refutes numbers with a wrong checksum. It never confirms: a number that is well formed may be somebody else's,
    so no document is waived for it. That the regions of registration and taxpayer's number differ is told to the
    reviewer; it happens to honest people who moved.
    """

    name = "ru.identifiers"
    mode = CheckMode.ADVISORY

    def run(self, subject: Mapping[str, str]) -> CheckOutcome:
        """``refuted`` with the names of the wrong attributes, otherwise ``unknown``."""
        wrong = [name for name, holds in NUMBERS.items() if name in subject and not holds(subject[name])]
        if wrong:
            return CheckOutcome(verdict=CheckVerdict.REFUTED, detail=f"wrong checksum: {', '.join(wrong)}")
        for registration, taxpayer in TAXPAYER.items():
            if registration in subject and taxpayer in subject:
                # Digits 4 and 5 of a registration and 1 and 2 of a taxpayer's number are the region.
                regions = subject[registration][3:5], subject[taxpayer][:2]
                if regions[0] != regions[1]:
                    where = f"{registration} is of region {regions[0]}, {taxpayer} of region {regions[1]}"
                    return CheckOutcome(verdict=CheckVerdict.UNKNOWN, detail=where)
        return CheckOutcome(verdict=CheckVerdict.UNKNOWN, detail="the numbers are well formed; no register was asked")
