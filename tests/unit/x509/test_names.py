"""Names: exact string types per attribute, refusals by attribute, and what people read."""

# One case a line, however long: the tables are read by rows.
# ruff: noqa: E501

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from ca_core.domain.errors import MalformedDer, ProfileViolation
from ca_core.domain.profile import RdnRule, StringType
from ca_core.x509 import der
from ca_core.x509.general_name import check_dns_name, check_email, check_uri, decode_general_names, encode_general_name
from ca_core.x509.name import Name, encode_name, name_faults, render_name

C = RdnRule(name="C", oid="2.5.4.6", string_type=StringType.PRINTABLE, min_size=2, max_size=2, pattern="[A-Z]{2}")
CN = RdnRule(name="CN", oid="2.5.4.3", string_type=StringType.UTF8, required=True)
INNLE = RdnRule(name="INNLE", oid="1.2.643.100.4", string_type=StringType.NUMERIC, min_size=10, max_size=10)
MAIL = RdnRule(name="emailAddress", oid="1.2.840.113549.1.9.1", string_type=StringType.IA5)
FIXED = RdnRule(name="O", oid="2.5.4.10", string_type=StringType.UTF8, fixed="Example")
RULES = (C, FIXED, CN, INNLE, MAIL)
GOOD = {"C": "RU", "CN": "ООО «Пример»", "INNLE": "7707083893", "emailAddress": "a@b.example"}


def test_each_attribute_is_written_in_its_string_type_and_order() -> None:
    name = Name.parse(encode_name(RULES, GOOD))
    assert [(one.oid, one.string_type, one.value) for one in name.attributes] == [
        ("2.5.4.6", "printable", "RU"),
        ("2.5.4.10", "utf8", "Example"),
        ("2.5.4.3", "utf8", "ООО «Пример»"),
        ("1.2.643.100.4", "numeric", "7707083893"),
        ("1.2.840.113549.1.9.1", "ia5", "a@b.example"),
    ]
    assert name.rdn_sizes == (1, 1, 1, 1, 1)
    assert name.first("2.5.4.3") == "ООО «Пример»"
    assert name.first("2.5.4.4") is None


FAULTS: dict[str, tuple[dict[str, str], str, str]] = {
    "missing": ({"CN": None}, "CN", "required"),  # type: ignore[dict-item]
    "unknown": ({"OU": "x"}, "OU", "no such attribute"),
    "fixed-otherwise": ({"O": "Other"}, "O", "fixes this value"),
    "too-short": ({"CN": ""}, "CN", "1 to 64 characters"),
    "too-long": ({"CN": "x" * 65}, "CN", "1 to 64 characters"),
    "wrong-size": ({"INNLE": "770708389"}, "INNLE", "exactly 10 characters"),
    "letter-in-numeric": ({"INNLE": "770708389a"}, "INNLE", "only digits"),
    "arabic-digits-in-numeric": ({"INNLE": "٧٧٠٧٠٨٣٨٩٣"}, "INNLE", "only digits"),
    "pattern": ({"C": "ru"}, "C", "does not have the form"),
    "cyrillic-in-printable": ({"C": "РУ"}, "C", "only Latin"),
    "umlaut-in-ia5": ({"emailAddress": "ä@b.example"}, "emailAddress", "only ASCII"),
    "space-before": ({"CN": " x"}, "CN", "no space at the beginning or end"),
    "no-break-space-after": ({"CN": "x\u00a0"}, "CN", "no space at the beginning or end"),
    "line-feed": ({"CN": "a\nb"}, "CN", "control characters"),
    "zero": ({"CN": "a\0b"}, "CN", "control characters"),
    "delete": ({"CN": "a\x7fb"}, "CN", "control characters"),
    "next-line": ({"CN": "a\x85б"}, "CN", "control"),
    **{
        f"invisible-{text.encode('unicode_escape').decode()}": ({"CN": text}, "CN", "invisible")
        for text in ("\u3164", "\u2800", "\uffa0", "\u200c", "Bank\ufe0f", "Ba\u034fnk", "Сбер\u200dбанк", "a\u00a0b")
    },
    "heap-of-marks": ({"CN": "a" + "\u0323" * 5}, "CN", "too many marks"),
    "right-to-left-override": ({"CN": "a\u202eb"}, "CN", "direction-changing"),
    "left-to-right-mark": ({"CN": "a\u200eb"}, "CN", "direction-changing"),
    "zero-width-space": ({"CN": "a\u200bb"}, "CN", "invisible"),
    "soft-hyphen": ({"CN": "a\u00adb"}, "CN", "invisible"),
    "line-separator": ({"CN": "a\u2028b"}, "CN", "control"),
    "private-use": ({"CN": "a\ue000b"}, "CN", "private"),
    "unassigned": ({"CN": "a\u0378b"}, "CN", "unassigned"),
    "surrogate": ({"CN": "a\ud800b"}, "CN", "control"),
    "not-normalized": ({"CN": "И\u0306"}, "CN", "normalization form C"),
}


@pytest.mark.parametrize(("changes", "attribute", "says"), FAULTS.values(), ids=FAULTS.keys())
def test_a_value_that_cannot_be_certified_is_refused_by_attribute(
    changes: dict[str, str], attribute: str, says: str
) -> None:
    values = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    with pytest.raises(ProfileViolation, match=attribute) as caught:
        encode_name(RULES, values)
    assert set(caught.value.fields) == {attribute}
    assert says in caught.value.fields[attribute]


def test_all_faults_are_told_at_once() -> None:
    assert name_faults(RULES, {"C": "ru", "OU": "x"}).keys() == {"C", "OU", "CN"}


def test_joiners_of_other_scripts_are_letters() -> None:
    assert name_faults((CN,), {"CN": "نامه\u200cای"}) == {}


@given(st.text(max_size=70))
@settings(deadline=None)
def test_any_text_is_refused_or_comes_back(text: str) -> None:
    if name_faults((CN,), {"CN": text}):
        with pytest.raises(ProfileViolation):
            encode_name((CN,), {"CN": text})
        return
    encoded = encode_name((CN,), {"CN": text})
    assert Name.parse(encoded).first("2.5.4.3") == text
    assert Name.parse(encoded).attributes[0].string_type == "utf8"


SHOWN: dict[str, tuple[bytes, str]] = {
    "last-first": (encode_name((C, CN), {"C": "RU", "CN": "x"}), "CN=x,C=RU"),
    "specials": (encode_name((CN,), {"CN": 'a,b+c"d\\e<f>g;h'}), r"CN=a\,b\+c\"d\\e\<f\>g\;h"),
    "leading-hash": (encode_name((CN,), {"CN": "#1"}), r"CN=\#1"),
    "unknown-type": (der.sequence(der.set_of(der.sequence(der.oid("1.2.3.4"), der.utf8_string("x")))), "1.2.3.4=x"),
    "control": (der.sequence(der.set_of(der.sequence(der.oid("2.5.4.3"), der.utf8_string("a\x1b[2J\u202eb")))), r"CN=a\1B[2J\E2\80\AEb"),
    "two-in-one": (der.sequence(der.set_of(*(der.sequence(der.oid(f"2.5.4.{n}"), der.utf8_string("x")) for n in (3, 10)))), "CN=x+O=x"),
    "empty": (der.sequence(), ""),
    "bmp": (der.sequence(der.set_of(der.sequence(der.oid("2.5.4.3"), der.tlv(0x1E, "Ж".encode("utf-16-be"))))), "CN=Ж"),
    "teletex": (der.sequence(der.set_of(der.sequence(der.oid("2.5.4.3"), der.tlv(0x14, b"\xe4")))), "CN=ä"),
}  # fmt: skip


@pytest.mark.parametrize(("encoded", "text"), SHOWN.values(), ids=SHOWN.keys())
def test_a_name_is_shown_as_rfc_4514_says(encoded: bytes, text: str) -> None:
    assert render_name(encoded) == text


DNS: dict[str, str | None] = {
    "a.example": None,
    "A-1.EXAMPLE": None,
    "xn--e1afmkfd.example": None,
    "a" * 63 + ".example": None,
    "": "1 to 253",
    "localhost": "at least two labels",
    "a..example": "each label",
    ".example": "each label",
    "a.example.": "each label",
    "-a.example": "each label",
    "a-.example": "each label",
    "a_b.example": "each label",
    "a" * 64 + ".example": "each label",
    ".".join(["a" * 60] * 5): "1 to 253",
    "ab--c.example": "third and fourth place",
    "xn--zzzzzz.example": "no valid A-label",
    "пример.example": "A-labels",
    "192.0.2.1": "end in a number",
    "*.example.com": "wildcards are not allowed",
    "a b.example": "each label",
    "a.example\n": "each label",
    "a.example\0.b": "each label",
}


@pytest.mark.parametrize(("text", "fault"), DNS.items(), ids=[ascii(text)[:30] for text in DNS])
def test_a_dns_name_is_judged(text: str, fault: str | None) -> None:
    found = check_dns_name(text)
    assert (found is None) if fault is None else fault in (found or "")


def test_a_wildcard_is_the_whole_first_label_before_two_others() -> None:
    assert check_dns_name("*.example.com", wildcards=True) is None
    for text in ("*.com", "a.*.com", "a*.example.com", "*", "**.example.com", "*.*.example.com"):
        assert check_dns_name(text, wildcards=True), text


ADDRESSES = {"a@b.example": True, "a.b+c@b.example": True, "a": False, "@b.example": False, "a@": False, "a@b": False,
             "a b@c.example": False, '"a"@b.example': False, "a@b@c.example": False, "a..b@c.example": False,
             ".a@c.example": False, "ä@b.example": False, "a@b.example\r\nBcc: c@d.example": False,
             "x" * 65 + "@b.example": False, "a@" + "b" * 63 + "." + "c" * 63 + "." + "d" * 63 + "." + "e" * 63: False}  # fmt: skip
URIS = {"https://a.example/b?c#d": True, "http://192.0.2.1:8080/": True, "http://[2001:db8::1]/": True, "urn:oid:1.2.3": True,
        "/relative": False, "a.example": False, "http://": False, "http:///x": False, "http://a_b.example/": False,
        "http://a.example/ü": False, "http://a.example/a b": False, "http://a.example:99999/": False,
        "http://[::1/": False, "javascript:alert(1)": False, "http://a.example/" + "x" * 2048: False, "": False}  # fmt: skip


@pytest.mark.parametrize(("text", "right"), ADDRESSES.items(), ids=[ascii(text)[:30] for text in ADDRESSES])
def test_a_mailbox_is_judged(text: str, right: bool) -> None:
    assert (check_email(text) is None) is right


@pytest.mark.parametrize(("text", "right"), URIS.items(), ids=[ascii(text)[:30] for text in URIS])
def test_a_uri_is_judged(text: str, right: bool) -> None:
    assert (check_uri(text) is None) is right


GENERAL = [
    ("dns", "a.example"),
    ("email", "a@b.example"),
    ("uri", "https://a.example/"),
    ("ip", "192.0.2.1"),
    ("ip", "2001:db8::1"),
]


@pytest.mark.parametrize(("kind", "text"), GENERAL, ids=[f"{kind}-{text}" for kind, text in GENERAL])
def test_general_names_come_back(kind: str, text: str) -> None:
    assert decode_general_names(der.sequence(encode_general_name(kind, text))) == ((kind, text),)


WRONG = [
    ("dns", "a_b.example"),
    ("email", "a"),
    ("uri", "x"),
    ("ip", "192.0.2.0/24"),
    ("ip", "192.0.2.256"),
    ("ip", "fe80::1%eth0"),
    ("directory", "CN=x"),
    ("", "x"),
    ("dns\n", "a.example"),
]


@pytest.mark.parametrize(("kind", "text"), WRONG, ids=[f"{kind!r}-{text}" for kind, text in WRONG])
def test_a_general_name_that_is_none_is_not_written(kind: str, text: str) -> None:
    with pytest.raises(ProfileViolation) as caught:
        encode_general_name(kind, text)
    assert set(caught.value.fields) == {"san"}


NO_NAMES = {
    "not-a-sequence": der.NULL,
    "part-not-a-set": der.sequence(der.sequence()),
    "empty-part": der.sequence(der.set_of()),
    "attribute-of-3": der.sequence(der.set_of(der.sequence(der.oid("2.5.4.3"), der.utf8_string("x"), der.NULL))),
    "number": der.sequence(der.set_of(der.sequence(der.oid("2.5.4.3"), der.integer(1)))),
    "bad-utf8": der.sequence(der.set_of(der.sequence(der.oid("2.5.4.3"), der.tlv(0x0C, b"\xff")))),
}


@pytest.mark.parametrize("encoded", NO_NAMES.values(), ids=NO_NAMES.keys())
def test_what_is_no_name_is_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedDer):
        Name.parse(encoded)
