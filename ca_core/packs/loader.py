"""Turns packs into profiles. Whatever is wrong with one stops the start with the file, the key and the reason."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ca_core.domain.errors import ConfigurationError
from ca_core.domain.profile import (
    CalendarRule,
    Environment,
    EvidenceRule,
    ExtensionRule,
    Pack,
    Profile,
    RdnRule,
    ServiceLevel,
)
from ca_core.packs.catalogue import PackCatalogue
from ca_core.packs.digest import digest_of
from ca_core.packs.schema import (
    AttributeTable,
    CalendarTable,
    EvidenceTable,
    ExtensionTable,
    PackFile,
    ProfileFile,
    SubjectTable,
)
from ca_core.packs.source import located, read_toml

LARGEST_INTEGER = (1 << 63) - 1
"""TOML 1.0 promises 64 bits."""


def load_packs(
    paths: Sequence[Path],
    *,
    environment: Environment,
    identifier_rules: Collection[str],
    evidence_checks: Collection[str],
    check_extension: Callable[[ExtensionRule], None],
) -> PackCatalogue:
    """The packs in these folders, for an installation of that environment (invariant 17).

    A demo installation turns every production profile into a demo one, with another digest; a production
    installation refuses a demo profile. ``identifier_rules`` and ``evidence_checks`` are the names that the enabled
    plugins bring; ``check_extension`` raises ConfigurationError for an extension that cannot be encoded.

    ConfigurationError names file, key and reason.
    """
    known = _Known(environment, identifier_rules, evidence_checks, check_extension)
    return PackCatalogue([_read_pack(folder, known) for folder in paths])


@dataclass(frozen=True)
class _Known:
    """The installation that a pack is loaded into."""

    environment: Environment
    identifier_rules: Collection[str]
    evidence_checks: Collection[str]
    check_extension: Callable[[ExtensionRule], None]


def _read_pack(folder: Path, known: _Known) -> Pack:
    file = folder / "pack.toml"
    source = read_toml(file, PackFile)
    with located(f"{file}: service_level."):
        service_level = ServiceLevel(
            decide=source.service_level.decide.timedelta, revoke=source.service_level.revoke.timedelta
        )
    with located(f"{file}: calendar."):
        calendar = _calendar(source.calendar)
    attributes = {}
    for name, table in source.attributes.items():
        with located(f"{file}: attributes.{name}."):
            attributes[name] = _attribute(name, table)
    reader = _ProfileReader(source, attributes, known)
    files = sorted((folder / "profiles").glob("*.toml"))
    if not files:
        raise ConfigurationError(f"{folder / 'profiles'}: there is no profile; a pack needs one TOML file for each")
    with located(f"{file}: "):
        pack = Pack(
            name=source.name,
            version=source.version,
            digest=b"",
            service_level=service_level,
            calendar=calendar,
            retention=source.retention.documents.timedelta if source.retention else None,
            profiles=tuple(reader.read(file) for file in files),
            timestamp_policies=tuple(source.timestamps.policies) if source.timestamps else (),
            refusal_reasons=source.refusal_reasons,
            identification_labels={name: method.label for name, method in source.identification.items()},
            label=source.label,
        )
    return replace(pack, digest=digest_of(pack))


def _calendar(table: CalendarTable) -> CalendarRule:
    return CalendarRule(
        country=table.country,
        timezone=table.timezone,
        day_starts=table.day_starts,
        day_ends=table.day_ends,
        counts=table.counts,
        extra_holidays=tuple(table.extra_holidays),
        extra_workdays=tuple(table.extra_workdays),
    )


def _attribute(name: str, table: AttributeTable) -> RdnRule:
    return RdnRule(
        name=name,
        oid=table.oid,
        string_type=table.type,
        min_size=table.min_size,
        max_size=table.max_size,
        pattern=table.pattern,
        check=table.check,
        label=table.label,
    )


@dataclass(frozen=True)
class _ProfileReader:
    """Reads the profiles of one pack."""

    pack: PackFile
    attributes: dict[str, RdnRule]
    known: _Known

    def read(self, file: Path) -> Profile:
        source = read_toml(file, ProfileFile)
        if source.environment is Environment.DEMO and self.known.environment is Environment.PRODUCTION:
            raise ConfigurationError(
                f"{file}: environment: a demo profile cannot be used in a production installation; take the file out"
            )
        with located(f"{file}: "):
            profile = Profile(
                pack=self.pack.name,
                name=source.name,
                version=source.version,
                digest=b"",
                environment=self.known.environment,
                subject_class=source.subject_class,
                subject=tuple(self._rdn(table, f"subject[{n}]") for n, table in enumerate(source.subject)),
                extensions=tuple(
                    self._extension(table, f"extensions[{n}]") for n, table in enumerate(source.extensions)
                ),
                algorithms=frozenset(source.algorithms),
                validity=source.validity.timedelta,
                backdate=source.backdate.timedelta,
                approvals=source.approvals,
                evidence=tuple(self._evidence(table, f"evidence[{n}]") for n, table in enumerate(source.evidence)),
                checks=tuple(self._check(name, f"checks[{n}]") for n, name in enumerate(source.checks)),
                identification={
                    name: self._identification(name, f"identification[{n}]")
                    for n, name in enumerate(source.identification)
                },
                san_types=frozenset(source.san_types),
                lint=source.lint,
                linters=tuple(source.linters),
                valid_from=source.valid_from,
                valid_until=source.valid_until,
                label=source.label,
            )
        return replace(profile, digest=digest_of(profile))

    def _rdn(self, table: SubjectTable, key: str) -> RdnRule:
        """The catalogue's attribute with what the profile says otherwise."""
        if table.name not in self.attributes:
            raise ConfigurationError(f"{key}.name: {table.name!r} is not among the attributes of pack.toml")
        overrides = table.model_dump(exclude={"name"}, exclude_unset=True)
        with located(f"{key}."):
            rule = replace(self.attributes[table.name], **overrides)
        if rule.check is not None and rule.check not in self.known.identifier_rules:
            raise ConfigurationError(f"{key}.check: nobody brings the rule {rule.check!r}; {self._look_at_plugins}")
        return rule

    def _extension(self, table: ExtensionTable, key: str) -> ExtensionRule:
        parameters = table.model_extra or {}
        for name, value in parameters.items():
            if not _is_plain(value):
                raise ConfigurationError(f"{key}.{name}: only texts, whole numbers, yes or no, and lists or tables")
        rule = ExtensionRule(kind=table.kind, critical=table.critical, parameters=parameters)
        with located(f"{key}: "):
            self.known.check_extension(rule)
        return rule

    def _evidence(self, table: EvidenceTable, key: str) -> EvidenceRule:
        if table.kind not in self.pack.evidence:
            raise ConfigurationError(f"{key}.kind: {table.kind!r} is not in the evidence table of pack.toml")
        return EvidenceRule(
            kind=table.kind,
            required=table.required,
            waived_by=tuple(table.waived_by),
            reusable=table.reusable.timedelta if table.reusable else None,
            label=self.pack.evidence[table.kind].label,
        )

    def _check(self, name: str, key: str) -> str:
        if name not in self.known.evidence_checks:
            raise ConfigurationError(f"{key}: nobody brings the check {name!r}; {self._look_at_plugins}")
        return name

    def _identification(self, name: str, key: str) -> int:
        if name not in self.pack.identification:
            raise ConfigurationError(f"{key}: {name!r} is not in the identification table of pack.toml")
        return self.pack.identification[name].value

    @property
    def _look_at_plugins(self) -> str:
        """What the operator most likely forgot."""
        plugins = ", ".join(repr(name) for name in self.pack.requires)
        return f"enable the plugin {plugins}, which this pack requires" if plugins else "is its plugin enabled?"


def _is_plain(value: object) -> bool:
    """Whether a value is what extension encoders take: no dates and no fractions."""
    if isinstance(value, list):
        return all(_is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(_is_plain(item) for item in value.values())
    return isinstance(value, str) or (isinstance(value, int) and -LARGEST_INTEGER <= value <= LARGEST_INTEGER)
