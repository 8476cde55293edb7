"""Russian identifiers: public numbers of well-known organisations, numbers from the rules' own texts, and a peer."""

from __future__ import annotations

import pluggy
import pytest
from hypothesis import assume, given, settings, strategies as st
from stdnum.ru import inn as peer_inn, ogrn as peer_ogrn

from ca_core import hookspecs
from plugins.counterparties import identifiers

RULES = identifiers.ca_identifier_rules()

VALID = [
    ("ru.inn.legal", "7707083893"),
    ("ru.inn.legal", "6663003127"),
    ("ru.inn.legal", "7702070139"),
    ("ru.inn.person", "500100732259"),
    ("ru.inn.person", "526317984689"),
    ("ru.kpp", "667601001"),
    ("ru.kpp", "770943002"),
    ("ru.kpp", "7736AB001"),
    ("ru.ogrn", "1027700132195"),
    ("ru.ogrn", "1026605606620"),
    ("ru.ogrnip", "304500116000157"),
    ("ru.snils", "11223344595"),
    ("ru.snils", "08765430300"),
    ("ru.snils", "08765430200"),
    ("ru.snils", "00100199800"),
    ("ru.bik", "044525225"),
    ("ru.bik", "017003983"),
    ("ru.bank-account", "044525545/40702810600014307627"),
    ("ru.bank-account", "044525545/30101810300000000545"),
    ("ru.bank-account", "044525225/30101810400000000225"),
    ("ru.bank-account", "017003983/40102810445370000059"),
    ("ru.bank-account", "017003983/03100643000000018500"),
]
INVALID = [
    ("ru.inn.legal", "7707083894", "check digit"),
    ("ru.inn.legal", "500100732259", "a person's"),
    ("ru.inn.legal", "0000000000", "zeros"),
    ("ru.inn.legal", "770708389", "short"),
    ("ru.inn.legal", "7707083893 ", "space"),
    ("ru.inn.legal", "7707083893\n", "line feed"),
    ("ru.inn.legal", "٧٧٠٧٠٨٣٨٩٣", "Arabic digits"),
    ("ru.inn.person", "500100732258", "second check digit"),
    ("ru.inn.person", "500100732269", "first check digit"),
    ("ru.inn.person", "7707083893", "an organisation's"),
    ("ru.inn.person", "000000000000", "zeros"),
    ("ru.kpp", "000001001", "office zero"),
    ("ru.kpp", "6676a1001", "small letter"),
    ("ru.kpp", "66760100", "short"),
    ("ru.ogrn", "1027700132196", "check digit"),
    ("ru.ogrn", "3027700132191", "kind of record"),
    ("ru.ogrn", "304500116000157", "a sole trader's"),
    ("ru.ogrnip", "304500116000158", "check digit"),
    ("ru.ogrnip", "104500116000151", "kind of record"),
    ("ru.ogrnip", "1027700132195", "an organisation's"),
    ("ru.snils", "11223344596", "checksum"),
    ("ru.snils", "112-233-445 95", "separators"),
    ("ru.snils", "00000000000", "zeros"),
    ("ru.snils", "00100199999", "the first number with a checksum"),
    ("ru.bik", "034525225", "prefix"),
    ("ru.bik", "04452522", "short"),
    ("ru.bank-account", "044525545/40702810600014307628", "check digit"),
    ("ru.bank-account", "044525974/40702810600014307627", "another bank"),
    ("ru.bank-account", "044525225/30101810400000000226", "correspondent account"),
    ("ru.bank-account", "044525225/4070281060001430762", "short"),
    ("ru.bank-account", "40702810600014307627", "no bank"),
]


@pytest.mark.parametrize(("rule", "value"), VALID)
def test_accepts(rule: str, value: str) -> None:
    assert RULES[rule](value)


@pytest.mark.parametrize(("rule", "value"), [row[:2] for row in INVALID], ids=[f"{row[0]} {row[2]}" for row in INVALID])
def test_refuses(rule: str, value: str) -> None:
    assert not RULES[rule](value)


CHECKED = [
    row
    for row in VALID
    if row[0] not in ("ru.kpp", "ru.bik") and "/03" not in row[1] and not row[1].startswith("00100")
]


@pytest.mark.parametrize(("rule", "value"), CHECKED)
def test_finds_nearly_every_wrong_digit(rule: str, value: str) -> None:
    """A few pass: a remainder of 10 is written as 0, and one of 100 as 00."""
    changed = [
        value[:place] + digit + value[place + 1 :]
        for place in range(value.find("/") + 1, len(value))
        for digit in "0123456789"
        if value[place] != digit
    ]
    missed = [number for number in changed if RULES[rule](number)]
    assert len(missed) <= len(changed) // 10


digits = st.text("0123456789", max_size=16)


@settings(deadline=None)
@given(digits)
def test_agrees_with_a_peer_on_taxpayer_numbers(number: str) -> None:
    ours = RULES["ru.inn.legal"](number) or RULES["ru.inn.person"](number)
    assert ours == (peer_inn.is_valid(number) and int(number) > 0)


@settings(deadline=None)
@given(st.text("0123456789", min_size=9, max_size=9), st.text("0123456789", min_size=10, max_size=10))
def test_agrees_with_a_peer_on_completed_taxpayer_numbers(legal: str, person: str) -> None:
    whole = legal + peer_inn.calc_company_check_digit(legal)
    assert RULES["ru.inn.legal"](whole) == (int(whole) > 0)
    whole = person + peer_inn.calc_personal_check_digits(person)
    assert RULES["ru.inn.person"](whole) == (int(whole) > 0)


@settings(deadline=None)
@given(st.sampled_from("15"), st.text("0123456789", min_size=12, max_size=12))
def test_agrees_with_a_peer_on_registration_numbers(kind: str, rest: str) -> None:
    assert RULES["ru.ogrn"](kind + rest) == peer_ogrn.is_valid(kind + rest)


@settings(deadline=None)
@given(st.text("0123456789", min_size=14, max_size=14))
def test_agrees_with_a_peer_on_sole_traders(rest: str) -> None:
    # The peer knows no number whose remainder has two digits; the rule takes the last of them.
    assume(int("3" + rest[:-1]) % 13 < 10)
    assert RULES["ru.ogrnip"]("3" + rest) == peer_ogrn.is_valid("3" + rest)


def test_a_sole_traders_check_digit_is_the_last_of_the_remainder() -> None:
    body = "30450011600007"
    assert int(body) % 13 == 12
    assert RULES["ru.ogrnip"](body + "2")


@settings(deadline=None)
@given(st.sampled_from(sorted(RULES)), st.text(max_size=40))
def test_answers_for_any_text(rule: str, text: str) -> None:
    assert RULES[rule](text) in (True, False)


CHECK = identifiers.ca_evidence_checks()[0]
ORGANISATION = {"INNLE": "7707083893", "OGRN": "1027700132195"}


@pytest.mark.parametrize(
    ("subject", "verdict", "detail"),
    [
        (ORGANISATION, "unknown", "no register was asked"),
        ({}, "unknown", "no register was asked"),
        (ORGANISATION | {"OGRN": "1026605606620"}, "unknown", "OGRN is of region 66, INNLE of region 77"),
        ({"OGRNIP": "304500116000157", "INN": "526317984689"}, "unknown", "OGRNIP is of region 50, INN of region 52"),
        (ORGANISATION | {"SNILS": "11223344596"}, "refuted", "SNILS"),
        ({"INN": "7707083893"}, "refuted", "INN"),
    ],
    ids=["well formed", "nothing", "regions", "a trader's regions", "checksum", "an organisation's for a person's"],
)
def test_consistency_refutes_or_leaves_open(subject: dict[str, str], verdict: str, detail: str) -> None:
    outcome = CHECK.run(subject)
    assert outcome.verdict == verdict
    assert detail in outcome.detail


@pytest.mark.parametrize("subject", [ORGANISATION, {"SNILS": "11223344595"}, {"INN": "500100732259"}])
def test_a_checksum_confirms_nobody(subject: dict[str, str]) -> None:
    assert CHECK.run(subject).verdict != "confirmed"


def test_details_hold_no_numbers() -> None:
    assert "11223344596" not in CHECK.run({"SNILS": "11223344596"}).detail


def test_its_hooks_are_hooks_of_the_authority() -> None:
    manager = pluggy.PluginManager(hookspecs.NAMESPACE)
    manager.add_hookspecs(hookspecs)
    manager.register(identifiers)
    manager.check_pending()
    assert set(manager.hook.ca_identifier_rules()[0]) >= {"ru.inn.legal", "ru.snils"}
    assert [check.name for check in manager.hook.ca_evidence_checks()[0]] == ["ru.identifiers"]
