"""Russian identifiers: numbers of taxpayers, registrations, insured persons, banks and their accounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ca_core.hookspecs import hookimpl
from ca_core.services.ports import EvidenceCheck
from plugins.counterparties.identifiers import bank_account, inn, kpp, ogrn, snils
from plugins.counterparties.identifiers.consistency import IdentifierConsistency


@hookimpl
def ca_identifier_rules() -> Mapping[str, Callable[[str], bool]]:
    """The rules by the names that packs use; each answers for any text."""
    return {
        "ru.inn.legal": inn.is_legal,
        "ru.inn.person": inn.is_person,
        "ru.kpp": kpp.is_kpp,
        "ru.ogrn": ogrn.is_ogrn,
        "ru.ogrnip": ogrn.is_ogrnip,
        "ru.snils": snils.is_snils,
        "ru.bik": bank_account.is_bik,
        "ru.bank-account": bank_account.is_account,
    }


@hookimpl
def ca_evidence_checks() -> Sequence[EvidenceCheck]:
    """One advisory check of the numbers against each other."""
    return (IdentifierConsistency(),)
