"""The form of an application, made from its profile: fields, what was typed, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from flask_babel import gettext as _, ngettext
from werkzeug.datastructures import MultiDict

from ca_core.domain.account import Centre
from ca_core.domain.application import Application
from ca_core.domain.profile import Pack, Profile, RdnRule, StringType
from portal.names import Names, format_names, parse_names
from web.words import text_of

PREFIX = "subject."
"""Of the inputs that are attributes of the subject name."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One attribute of the subject name, as a line of the form."""

    name: str
    label: str
    value: str
    hint: str
    required: bool
    fixed: bool
    max_size: int
    numeric: bool
    fault: str


@dataclass(frozen=True, kw_only=True)
class ApplicationForm:
    """What the applicant fills in. Nothing typed is lost: a form with faults is shown with its values."""

    profile: Profile
    pack: Pack
    subject: Mapping[str, str] = field(default_factory=dict)
    names: str = ""
    """The alternative names, one on a line."""
    identification: str = ""
    centre: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)
    """By attribute name, ``san``, ``identification`` or ``centre``."""

    @classmethod
    def of(cls, application: Application, profile: Profile, pack: Pack, faults: Mapping[str, str]) -> Self:
        """As the application is on record."""
        return cls(
            profile=profile,
            pack=pack,
            subject=application.subject,
            names=format_names(application.san),
            identification=application.identification or "",
            faults=faults,
        )

    @classmethod
    def typed(cls, form: MultiDict[str, str], profile: Profile, pack: Pack) -> Self:
        """As it was just sent in."""
        return cls(
            profile=profile,
            pack=pack,
            subject={rule.name: form.get(PREFIX + rule.name, "") for rule in profile.subject if rule.fixed is None},
            names=form.get("san", ""),
            identification=form.get("identification", ""),
            centre=form.get("centre", ""),
        )

    @property
    def san(self) -> Names:
        return parse_names(self.names, self.profile.san_types)

    @property
    def fields(self) -> Sequence[Field]:
        return [self._field(rule) for rule in self.profile.subject]

    @property
    def methods(self) -> Sequence[tuple[str, str]]:
        """Identification methods of the profile: name and what people read."""
        labels = self.pack.identification_labels
        return [(name, text_of(labels.get(name, {}), name)) for name in self.profile.identification]

    @property
    def marked(self) -> Sequence[tuple[str, str]]:
        """Id and label of each input that has a fault."""
        ids = [(f"subject-{one.name}", one.label) for one in self.fields if one.fault]
        others = {
            "san": _("Alternative names"),
            "identification": _("How your identity is established"),
            "centre": _("Service centre"),
        }
        return ids + [(name, str(label)) for name, label in others.items() if name in self.faults]

    @property
    def other_faults(self) -> Sequence[str]:
        """Faults that no field of this form shows."""
        shown = {rule.name for rule in self.profile.subject} | {"san", "identification", "centre"}
        return [f"{name}: {_(fault)}" for name, fault in self.faults.items() if name not in shown]

    def differences(self, now: Self) -> Sequence[tuple[str, str, str]]:
        """Label, what was typed, what is on record now; where the two differ."""
        rows = [(one.label, one.value, two.value) for one, two in zip(self.fields, now.fields, strict=True)]
        rows.append((_("Alternative names"), format_names(self.san), now.names))
        methods = dict(self.methods)
        rows.append(
            (
                _("How your identity is established"),
                methods.get(self.identification, ""),
                methods.get(now.identification, ""),
            )
        )
        return [row for row in rows if row[1].strip() != row[2].strip()]

    def _field(self, rule: RdnRule) -> Field:
        return Field(
            name=rule.name,
            label=text_of(rule.label, rule.name),
            value=rule.fixed if rule.fixed is not None else self.subject.get(rule.name, ""),
            hint=_hint(rule),
            required=rule.required,
            fixed=rule.fixed is not None,
            max_size=rule.max_size,
            numeric=rule.string_type is StringType.NUMERIC,
            fault=_(self.faults[rule.name]) if rule.name in self.faults else "",
        )


def _hint(rule: RdnRule) -> str:
    if rule.fixed is not None:
        return str(_("always the same"))
    if rule.min_size == rule.max_size:
        size = ngettext("%(num)s character", "%(num)s characters", rule.max_size)
    elif rule.min_size > 1:
        size = _("%(least)s to %(most)s characters", least=rule.min_size, most=rule.max_size)
    else:
        size = ngettext("up to %(num)s character", "up to %(num)s characters", rule.max_size)
    return str(size if rule.required else _("optional, %(size)s", size=size))


def choices(centres: Sequence[Centre]) -> Sequence[Centre]:
    """The service centres to choose from; none where there is only one."""
    active = [centre for centre in centres if centre.active]
    return sorted(active, key=lambda centre: centre.name) if len(active) > 1 else []
