"""Packs: what is shipped loads, and whatever is wrong with one names file, key and reason."""

# One case a line, however long: the tables are read by rows.
# ruff: noqa: E501

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.errors import CaError, ConfigurationError, NotFound
from ca_core.domain.profile import Environment, ExtensionRule, Profile, StringType, SubjectClass
from ca_core.packs import SHIPPED, shipped_packs
from ca_core.packs.catalogue import PackCatalogue
from ca_core.packs.digest import digest_of
from ca_core.packs.holiday_calendar import HolidayCalendars
from ca_core.packs.loader import load_packs
from ca_core.x509.extensions import check_extension_rule

DAY = date(2026, 11, 24)
RULES = ("ru.inn.legal", "ru.inn.person", "ru.ogrn", "ru.ogrnip", "ru.snils")
CHECKS = ("ru.identifiers",)

PACK = """
name = "test"
version = "1"
label = { en = "Test", ru = "Проба" }

[service_level]
decide = { days = 3 }
revoke = { hours = 24 }

[calendar]
timezone = "UTC"

[attributes.CN]
oid = "2.5.4.3"
type = "utf8"
label = { en = "Name" }

[attributes.INN]
oid = "1.2.643.3.131.1.1"
type = "numeric"
min_size = 12
max_size = 12
check = "ru.inn.person"
label = { en = "INN" }

[evidence.passport]
label = { en = "Passport" }

[identification.personal]
value = 0
label = { en = "In person" }

[refusal_reasons]
unreadable = { en = "It cannot be read." }
"""
PROFILE = """
name = "person"
version = "1"
label = { en = "Person" }
subject_class = "natural-person"
algorithms = ["ec-p256", "rsa-2048"]
validity = { days = 365, hours = 12 }
backdate = { minutes = 5 }
approvals = 2
checks = ["ru.identifiers"]
identification = ["personal"]
san_types = ["email"]
linters = ["pkix"]

[[subject]]
name = "CN"
required = true
max_size = 32

[[subject]]
name = "INN"

[[extensions]]
kind = "key_usage"
critical = true
usages = ["digitalSignature"]

[[evidence]]
kind = "passport"
waived_by = ["ru.register.person"]
reusable = { days = 30 }
"""


def write(folder: Path, pack: str = PACK, **profiles: str) -> Path:
    (folder / "profiles").mkdir(parents=True)
    (folder / "pack.toml").write_text(pack)
    for name, text in (profiles or {"person": PROFILE}).items():
        (folder / "profiles" / f"{name}.toml").write_text(text)
    return folder


def load(
    *folders: Path,
    environment: Environment = Environment.PRODUCTION,
    check_extension: Callable[[ExtensionRule], None] = check_extension_rule,
) -> PackCatalogue:
    return load_packs(
        folders,
        environment=environment,
        identifier_rules=RULES,
        evidence_checks=CHECKS,
        check_extension=check_extension,
    )


def test_every_shipped_pack_loads() -> None:
    catalogue = load(*shipped_packs())
    assert [pack.name for pack in catalogue.packs] == ["eu-eidas", "private", "ru-63fz"]
    assert len(catalogue.profiles(DAY)) == len(list(SHIPPED.glob("*/profiles/*.toml")))
    HolidayCalendars(catalogue.packs)


@pytest.mark.parametrize("language", ["en", "ru", "ar"])
def test_every_shipped_text_is_in_every_language(language: str) -> None:
    for pack in load(*shipped_packs()).packs:
        texts = [pack.label, *pack.refusal_reasons.values(), *pack.identification_labels.values()]
        for profile in pack.profiles:
            texts += [profile.label, *(rule.label for rule in (*profile.subject, *profile.evidence))]
        assert [text for text in texts if not text.get(language)] == []


def test_a_pack_says_what_its_files_say(tmp_path: Path) -> None:
    catalogue = load(write(tmp_path / "test"))
    pack, profile = catalogue.pack("test"), catalogue.profile("test/person", on=DAY)
    assert (pack.service_level.decide, pack.service_level.revoke) == (timedelta(days=3), timedelta(hours=24))
    assert pack.refusal_reasons["unreadable"]["en"] == "It cannot be read."
    assert profile.subject_class is SubjectClass.NATURAL_PERSON
    assert profile.algorithms == {KeyAlgorithm.EC_P256, KeyAlgorithm.RSA_2048}
    assert (profile.validity, profile.backdate) == (timedelta(days=365, hours=12), timedelta(minutes=5))
    assert profile.approvals == 2
    assert profile.identification == {"personal": 0}
    name, number = profile.subject
    # The profile's own size beside what the catalogue of attributes says.
    assert (name.oid, name.string_type, name.max_size, name.required) == ("2.5.4.3", StringType.UTF8, 32, True)
    assert (number.check, number.required) == ("ru.inn.person", False)
    (usage,) = profile.extensions
    assert (usage.kind, usage.critical, usage.parameters) == ("key_usage", True, {"usages": ["digitalSignature"]})
    (passport,) = profile.evidence
    assert (passport.waived_by, passport.reusable) == (("ru.register.person",), timedelta(days=30))


# What is written instead of what, in which file, and what the error says of it.
MISTAKES: dict[str, tuple[str, str, str, str]] = {
    "no-toml": ("pack", PACK, "name =", "pack.toml: not TOML"),
    "key-twice": ("pack", 'version = "1"', 'version = "1"\nversion = "2"', "pack.toml: not TOML"),
    "misspelt-key": ("pack", "[service_level]", "[service_levels]", "service_level"),
    "wrong-type": ("pack", "decide = { days = 3 }", 'decide = { days = "3" }', "service_level.decide.days"),
    "no-time": ("pack", "decide = { days = 3 }", "decide = { days = 0 }", "service_level.decide: it has to be longer"),
    "no-retention": ("pack", "[calendar]", "[retention]\ndocuments = { days = 0 }\n[calendar]", "retention: it has to be longer"),
    "no-zone": ("pack", 'timezone = "UTC"', 'timezone = "Mars/Olympus"', "calendar.timezone: 'Mars/Olympus' is not a time zone"),
    "day-ends": ("pack", 'timezone = "UTC"', 'timezone = "UTC"\nday_ends = 8', "calendar.day_ends"),
    "attribute-oid": ("pack", 'oid = "2.5.4.3"', 'oid = "2.5.4.x"', "attributes.CN.oid: '2.5.4.x' is not an object identifier"),
    "attribute-type": ("pack", 'type = "utf8"', 'type = "bmp"', "attributes.CN.type: 'bmp' is not one of"),
    "attribute-sizes": ("pack", "min_size = 12", "min_size = 13", "attributes.INN.min_size"),
    "label-without-english": ("pack", 'label = { en = "Passport" }', 'label = { ru = "Паспорт" }', "evidence.passport.label: an English text"),
    "pack-name": ("pack", 'name = "test"', 'name = "Test Pack"', "name: 'Test Pack' will not do"),
    "profile-no-toml": ("profile", PROFILE, "= 1", "person.toml: not TOML"),
    "missing": ("profile", 'validity = { days = 365, hours = 12 }\n', "", "person.toml: validity: is missing"),
    "unknown-key": ("profile", "approvals = 2", "approval = 2", "approval: is no key of this table; look for a misspelling"),
    "approvals": ("profile", "approvals = 2", "approvals = 3", "person.toml: approvals: 1 or 2"),
    "algorithm": ("profile", '"rsa-2048"', '"rsa-1024"', r"algorithms\[1\]: 'rsa-1024' is not one of"),
    "no-algorithm": ("profile", 'algorithms = ["ec-p256", "rsa-2048"]', "algorithms = []", "algorithms"),
    "backdate": ("profile", "backdate = { minutes = 5 }", "backdate = { days = 366 }", "backdate: it is shorter than the validity"),
    "linter": ("profile", '"pkix"', '"zlint"', "linters: each is one of"),
    "san-type": ("profile", '"email"', '"mail"', "san_types: each is one of"),
    "check": ("profile", '"ru.identifiers"', '"ru.other"', r"checks\[0\]: nobody brings the check 'ru.other'; is its plugin enabled"),
    "identification": ("profile", '"personal"', '"remote"', r"identification\[0\]: 'remote' is not in the identification table"),
    "attribute": ("profile", 'name = "INN"', 'name = "SNILS"', r"subject\[1\].name: 'SNILS' is not among the attributes"),
    "attribute-twice": ("profile", 'name = "INN"', 'name = "CN"', "subject: CN is listed twice"),
    "rule": ("profile", 'name = "INN"', 'name = "INN"\ncheck = "ru.no"', r"subject\[1\].check: nobody brings the rule 'ru.no'"),
    "pattern": ("profile", "max_size = 32", 'pattern = "("', r"subject\[0\].pattern: not a regular expression"),
    "fixed": ("profile", 'name = "INN"', 'name = "INN"\nfixed = "12"', r"subject\[1\].fixed: the value does not fit"),
    "extension-kind": ("profile", '"key_usage"', '"key_use"', r"extensions\[0\]: extension 'key_use': there is no such kind"),
    "extension-parameter": ("profile", 'usages = ["digitalSignature"]', 'usages = ["signing"]', r"extensions\[0\]: extension key_usage, key 'usages'"),
    "extension-of-dates": ("profile", 'usages = ["digitalSignature"]', "usages = [2026-01-01]", r"extensions\[0\].usages: only texts"),
    "extension-twice": ("profile", "[[evidence]]", '[[extensions]]\nkind = "key_usage"\nusages = ["cRLSign"]\n[[evidence]]', "extensions: key_usage is listed twice"),
    "evidence": ("profile", 'kind = "passport"', 'kind = "licence"', r"evidence\[0\].kind: 'licence' is not in the evidence table"),
    "ends-before-it-begins": ("profile", "approvals = 2", "approvals = 2\nvalid_from = 2026-02-01\nvalid_until = 2026-01-01", "valid_until: it lies before valid_from"),
    "authority-with-evidence": ("profile", '"natural-person"', '"authority"', "an authority's own certificate is not applied for"),
    "subject-class": ("profile", '"natural-person"', '"robot"', "subject_class: 'robot' is not one of"),
}  # fmt: skip


@pytest.mark.parametrize(("file", "before", "after", "says"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_names_file_key_and_reason(tmp_path: Path, file: str, before: str, after: str, says: str) -> None:
    text = PACK if file == "pack" else PROFILE
    assert before in text
    changed = text.replace(before, after, 1)
    folder = write(
        tmp_path / "test", *([changed] if file == "pack" else []), **({} if file == "pack" else {"person": changed})
    )
    name = "pack.toml" if file == "pack" else "person.toml"
    with pytest.raises(ConfigurationError, match=says) as caught:
        load(folder)
    assert str(folder) in caught.value.detail
    assert name in caught.value.detail


def test_a_plugin_that_a_pack_requires_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"enable the plugin 'counterparties\.identifiers'"):
        load_packs(
            [SHIPPED / "ru-63fz"],
            environment=Environment.PRODUCTION,
            identifier_rules=(),
            evidence_checks=(),
            check_extension=check_extension_rule,
        )


def test_a_missing_or_empty_pack_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"pack\.toml: cannot be read \(No such file"):
        load(tmp_path / "absent")
    folder = write(tmp_path / "test")
    (folder / "profiles" / "person.toml").unlink()
    with pytest.raises(ConfigurationError, match="there is no profile"):
        load(folder)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\x00", b"a = " + b"[" * 5000], ids=["utf-16", "zero", "deep"])
def test_a_file_that_is_no_text_is_a_configuration_error(tmp_path: Path, content: bytes) -> None:
    folder = write(tmp_path / "test")
    (folder / "profiles" / "person.toml").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"person\.toml: not"):
        load(folder)


def test_two_packs_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="'test' is configured twice"):
        load(write(tmp_path / "a"), write(tmp_path / "b"))


def version(number: str, *dates: str) -> str:
    return PROFILE.replace('version = "1"', "\n".join([f'version = "{number}"', *dates]), 1)


def test_each_day_has_its_version(tmp_path: Path) -> None:
    catalogue = load(
        write(
            tmp_path / "test",
            old=version("1", "valid_until = 2026-06-30"),
            new=version("2", "valid_from = 2026-07-01", "valid_until = 2026-12-31"),
        )
    )
    versions = {
        day: catalogue.profile("test/person", on=date(2026, *day)).version for day in ((6, 30), (7, 1), (12, 31))
    }
    assert versions == {(6, 30): "1", (7, 1): "2", (12, 31): "2"}
    with pytest.raises(NotFound, match="no version of profile 'test/person' is in force on 2027-01-01"):
        catalogue.profile("test/person", on=date(2027, 1, 1))
    assert [one.version for one in catalogue.profiles(date(2026, 1, 1))] == ["1"]
    assert catalogue.profiles(date(2027, 1, 1)) == ()


@pytest.mark.parametrize(
    "dates",
    [[], ["valid_from = 2026-06-30"], ["valid_until = 2030-01-01"]],
    ids=["both-for-ever", "same-last-day", "begins-before"],
)
def test_two_versions_in_force_on_one_day_are_refused(tmp_path: Path, dates: list[str]) -> None:
    folder = write(tmp_path / "test", old=version("1", "valid_until = 2026-06-30"), new=version("2", *dates))
    with pytest.raises(ConfigurationError, match="in force on the same day"):
        load(folder)


def test_an_intents_version_is_found_by_its_digest_only(tmp_path: Path) -> None:
    catalogue = load(write(tmp_path / "test"))
    profile = catalogue.profile("test/person", on=DAY)

    def pinned(key: str, version: str, digest: bytes) -> Profile:
        return catalogue.pinned(SimpleNamespace(profile=key, profile_version=version, profile_digest=digest))

    assert pinned("test/person", "1", profile.digest) is profile
    for asked in (
        ("test/person", "1", bytes(32)),
        ("test/person", "2", profile.digest),
        ("test/other", "1", profile.digest),
    ):
        with pytest.raises(NotFound):
            pinned(*asked)
    with pytest.raises(NotFound):
        catalogue.pack("other")


DIGEST_CHANGES = {
    "size": ("max_size = 32", "max_size = 33", True),
    "extension": ('usages = ["digitalSignature"]', 'usages = ["digitalSignature", "nonRepudiation"]', True),
    "approvals": ("approvals = 2", "approvals = 1", True),
    "evidence": ("reusable = { days = 30 }", "reusable = { days = 31 }", True),
    "order-of-algorithms": ('["ec-p256", "rsa-2048"]', '["rsa-2048", "ec-p256"]', False),
    "label": ('label = { en = "Person" }', 'label = { en = "Human" }', False),
    "comment": ("approvals = 2", "approvals = 2  # four eyes", False),
}


@pytest.mark.parametrize(("before", "after", "differs"), DIGEST_CHANGES.values(), ids=DIGEST_CHANGES.keys())
def test_a_digest_changes_with_what_a_profile_means(tmp_path: Path, before: str, after: str, differs: bool) -> None:
    digests = {
        load(write(tmp_path / name, person=text)).profile("test/person", on=DAY).digest
        for name, text in (("a", PROFILE), ("b", PROFILE.replace(before, after, 1)))
    }
    assert len(digests) == (2 if differs else 1)


def test_a_digest_is_of_the_profile_without_itself(tmp_path: Path) -> None:
    profile = load(write(tmp_path / "test")).profile("test/person", on=DAY)
    assert len(profile.digest) == 32
    assert digest_of(profile) == profile.digest


def test_invariant_17_a_demo_profile_does_not_load_in_production(tmp_path: Path) -> None:
    demo = PROFILE.replace("approvals = 2", 'approvals = 2\nenvironment = "demo"')
    folder = write(tmp_path / "test", person=demo)
    with pytest.raises(ConfigurationError, match="a demo profile cannot be used in a production installation"):
        load(folder)
    assert load(folder, environment=Environment.DEMO).profile("test/person", on=DAY).environment is Environment.DEMO


def test_invariant_17_a_demo_installation_has_no_production_profile(tmp_path: Path) -> None:
    folder = write(tmp_path / "test")
    real, demo = (
        load(folder, environment=one).profile("test/person", on=DAY)
        for one in (Environment.PRODUCTION, Environment.DEMO)
    )
    assert (real.environment, demo.environment) == (Environment.PRODUCTION, Environment.DEMO)
    assert real.digest != demo.digest


LINES = [line for line in (PACK + PROFILE).splitlines() if line]
PIECES = st.one_of(
    st.sampled_from(LINES),
    st.text(max_size=20),
    st.builds(
        "{} = {}".format,
        st.sampled_from(["name", "validity", "oid", "kind", "label", "usages", "value", "valid_from", "pattern", "x"]),
        st.sampled_from(
            [
                "1",
                "-1",
                "1e400",
                "nan",
                "2026-02-30",
                "1979-05-27T07:32:00Z",
                "[]",
                "{}",
                '"("',
                '"\\u0000"',
                "9" * 30,
                "[[]]",
                "true",
                "{ days = 99999999 }",
            ]
        ),
    ),
)


@given(
    lines=st.lists(st.tuples(st.integers(0, 60), PIECES), min_size=1, max_size=4),
    target=st.sampled_from(["pack", "profile"]),
)
@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
def test_any_text_loads_or_is_a_configuration_error(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[int, str]], target: str
) -> None:
    text = (PACK if target == "pack" else PROFILE).splitlines()
    for at, piece in lines:
        text[at % len(text)] = piece
    changed = "\n".join(text).encode("utf-8", "replace").decode()
    folder = tmp_path_factory.mktemp("fuzz")
    write(
        folder / "test", *([changed] if target == "pack" else []), **({} if target == "pack" else {"person": changed})
    )
    try:
        HolidayCalendars(load(folder / "test").packs)
    except CaError as error:
        said = error
    else:
        return
    finally:
        shutil.rmtree(folder)
    assert isinstance(said, ConfigurationError)
