"""Whether the data of an application fits its profile: attributes, checksums, alternative names, identification."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence

from ca_core.domain.errors import InvalidInput, ProfileViolation
from ca_core.domain.profile import Profile
from ca_core.x509.general_name import encode_general_name
from ca_core.x509.name import value_fault

IdentifierRules = Mapping[str, Callable[[str], bool]]
"""Checksum rules by the names that packs use; plugins bring them."""

MAX_NAMES = 100
"""Alternative names in one application."""


def tidied(subject: Mapping[str, str]) -> dict[str, str]:
    """Values without outer white space and in Unicode form C; empty ones left out."""
    values = {name: unicodedata.normalize("NFC", value).strip() for name, value in subject.items()}
    return {name: value for name, value in values.items() if value}


def check_subject(
    profile: Profile,
    *,
    subject: Mapping[str, str],
    san: Sequence[tuple[str, str]],
    identification: str | None,
    rules: IdentifierRules,
    complete: bool,
) -> None:
    """Return if the data fits; :class:`InvalidInput` names every field that does not.

    A draft may lack things (``complete`` false); what it has must be right all the same."""
    faults = _attribute_faults(profile, subject, rules, complete=complete)
    faults |= _name_faults(profile, san)
    if identification is not None and identification not in profile.identification:
        faults["identification"] = f"one of: {', '.join(profile.identification) or 'none for this profile'}"
    if complete and identification is None and profile.identification:
        faults["identification"] = "say how identity is established"
    if complete and _needs_names(profile) and not san:
        faults["san"] = f"name at least one of: {', '.join(sorted(profile.san_types))}"
    if faults:
        raise InvalidInput(f"correct these fields: {', '.join(sorted(faults))}", fields=faults)


def _attribute_faults(
    profile: Profile, subject: Mapping[str, str], rules: IdentifierRules, *, complete: bool
) -> dict[str, str]:
    known = {rule.name: rule for rule in profile.subject}
    faults = {name: "this profile has no such attribute" for name in subject if name not in known}
    for rule in profile.subject:
        value = subject.get(rule.name)
        if rule.fixed is not None:
            if value is not None and value != rule.fixed:
                faults[rule.name] = "the profile fixes this value"
        elif value is None:
            if complete and rule.required:
                faults[rule.name] = "this is required"
        elif fault := value_fault(rule, value):
            faults[rule.name] = fault
        elif rule.check is not None and not rules[rule.check](value):
            faults[rule.name] = "the check digits do not fit; look for a typing error"
    return faults


def _name_faults(profile: Profile, san: Sequence[tuple[str, str]]) -> dict[str, str]:
    if len(san) > MAX_NAMES:
        return {"san": f"at most {MAX_NAMES} names"}
    if len(set(san)) != len(san):
        return {"san": "a name is there twice"}
    rule = next((rule for rule in profile.extensions if rule.kind == "subject_alternative_name"), None)
    wildcards = rule is not None and rule.parameters.get("wildcards") is True
    for kind, value in san:
        if kind not in profile.san_types:
            return {"san": f"this profile has no names of type {kind[:20]!r}"}
        try:
            encode_general_name(kind, value, wildcards=wildcards)
        except ProfileViolation as fault:
            return {"san": fault.detail}
    return {}


def _needs_names(profile: Profile) -> bool:
    return any(
        rule.kind == "subject_alternative_name" and rule.parameters.get("required") is True
        for rule in profile.extensions
    )
