"""DER out and in: what is written is read back, and what is not DER is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from asn1crypto import core
from hypothesis import given, settings, strategies as st
from pyasn1.codec.der import encoder
from pyasn1.type import univ

from ca_core.domain.errors import InvalidInput, MalformedDer
from ca_core.x509 import der
from ca_core.x509.der_reader import MAX_DEPTH, Element, decode

FAST = settings(deadline=None, max_examples=200)

NOT_DER: dict[str, bytes] = {
    "nothing": b"",
    "tag-only": b"\x30",
    "cut-length": b"\x30\x82\x01",
    "cut-content": b"\x04\x03ab",
    "trailing-octet": b"\x05\x00\x00",
    "two-values": b"\x05\x00\x05\x00",
    "indefinite-length": b"\x30\x80\x00\x00",
    "reserved-length": b"\x30\xff" + bytes(127),
    "length-of-5-octets": b"\x04\x85\x00\x00\x00\x00\x01a",
    "long-form-of-a-short-length": b"\x04\x81\x01a",
    "length-with-leading-zero": b"\x04\x82\x00\x80" + bytes(128),
    "member-longer-than-its-container": b"\x30\x03\x04\x02a",
    "high-tag-number": b"\x1f\x21\x00",
    "end-of-contents": b"\x00\x00",
    "primitive-sequence": b"\x10\x00",
    "primitive-set": b"\x11\x00",
    "constructed-integer": b"\x22\x03\x02\x01\x00",
    "constructed-octet-string": b"\x24\x03\x04\x01a",
    "constructed-utf8-string": b"\x2c\x03\x0c\x01a",
    "integer-without-octets": b"\x02\x00",
    "integer-with-leading-zeros": b"\x02\x02\x00\x7f",
    "integer-with-leading-ones": b"\x02\x02\xff\x80",
    "enumerated-with-leading-zeros": b"\x0a\x02\x00\x01",
    "boolean-1": b"\x01\x01\x01",
    "boolean-of-2-octets": b"\x01\x02\xff\xff",
    "boolean-without-octets": b"\x01\x00",
    "null-with-content": b"\x05\x01\x00",
    "bits-without-octets": b"\x03\x00",
    "bits-with-8-unused": b"\x03\x02\x08\x00",
    "bits-unused-of-nothing": b"\x03\x01\x01",
    "bits-unused-not-zero": b"\x03\x02\x01\x01",
    "oid-without-octets": b"\x06\x00",
    "oid-cut-off": b"\x06\x02\x2a\x86",
    "oid-with-leading-zeros": b"\x06\x03\x2a\x80\x01",
    "oid-of-129-octets": b"\x06\x81\x81\x2a" + b"\x01" * 128,
    "utc-time-with-offset": b"\x17\x11260101000000+0300",
    "utc-time-local": b"\x17\x0c260101000000",
    "generalized-time-local": b"\x18\x0e20260101000000",
    "deep": b"\x30\x00",
}


def nested(levels: int) -> bytes:
    value = der.NULL
    for _ in range(levels):
        value = der.sequence(value)
    return value


NOT_DER["deep"] = nested(MAX_DEPTH + 1)


@pytest.mark.parametrize("encoded", NOT_DER.values(), ids=NOT_DER.keys())
def test_what_is_not_der_is_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedDer):
        decode(encoded)


@pytest.mark.parametrize(
    "encoded",
    [encoded for name, encoded in NOT_DER.items() if name not in ("nothing", "two-values")],
    ids=[name for name in NOT_DER if name not in ("nothing", "two-values")],
)
def test_what_is_not_der_is_refused_inside_something_else(encoded: bytes) -> None:
    with pytest.raises(MalformedDer):
        decode(der.sequence(der.NULL, der.explicit(0, encoded)))


def test_the_deepest_structure_is_read() -> None:
    assert decode(nested(MAX_DEPTH)).members


def test_a_structure_deeper_than_the_stack_is_refused() -> None:
    value = b""
    for _ in range(3000):
        value = der.tlv(0x30, value)
    with pytest.raises(MalformedDer, match="nested deeper"):
        decode(value)


LENGTHS = [0, 1, 127, 128, 255, 256, 65535, 65536, 1 << 20]


@pytest.mark.parametrize("size", LENGTHS)
def test_every_length_is_written_shortest_and_read_back(size: int) -> None:
    encoded = der.octet_string(bytes(size))
    assert encoded == core.OctetString(bytes(size)).dump()
    assert decode(encoded).octets("it") == bytes(size)


@given(st.integers(min_value=-(1 << 600), max_value=1 << 600))
@FAST
def test_integers_come_back(value: int) -> None:
    # Not pyasn1: it writes -128 in two octets, which X.690 §8.3.2 forbids.
    assert der.integer(value) == core.Integer(value).dump()
    assert decode(der.integer(value)).integer("it") == value
    assert decode(der.enumerated(value)).integer("it", tag=0x0A) == value


@given(st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 1 << 70), max_size=8))
@FAST
def test_object_identifiers_come_back(first: int, second: int, rest: list[int]) -> None:
    dotted = ".".join(map(str, (first, second, *rest)))
    assert der.oid(dotted) == encoder.encode(univ.ObjectIdentifier(dotted))
    assert decode(der.oid(dotted)).oid("it") == dotted


NO_OIDS = ["", "1", "1.", ".1", "3.1", "1.40", "0.40", "1.2.-3", "1.2.03", "1.2.x", "1.2.٣", "1..2", "1.2." + "9" * 41]


@pytest.mark.parametrize("dotted", NO_OIDS)
def test_what_is_no_object_identifier_is_not_written(dotted: str) -> None:
    with pytest.raises(InvalidInput, match="not an object identifier"):
        der.oid(dotted)


@given(st.sets(st.integers(0, 40)))
@FAST
def test_named_bits_come_back_without_trailing_zeros(positions: set[int]) -> None:
    encoded = der.named_bits(positions)
    assert decode(encoded).named_bits("it") == positions
    written = univ.BitString(tuple(int(at in positions) for at in range(max(positions, default=-1) + 1)))
    assert encoded == encoder.encode(written)


def test_named_bits_with_trailing_zeros_are_refused() -> None:
    with pytest.raises(MalformedDer, match="trailing zero bits"):
        decode(der.bit_string(b"\x80\x00")).named_bits("it")


MOMENTS = st.integers(-631_152_000, 253_402_300_799).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
"""The years 1950 to 9999."""


@given(MOMENTS)
@FAST
def test_times_come_back_in_the_type_of_their_year(moment: datetime) -> None:
    encoded = der.time(moment)
    assert encoded[0] == (0x17 if moment.year < 2050 else 0x18)
    assert decode(encoded).time("it") == decode(der.generalized_time(moment)).time("it") == moment


def test_a_time_of_another_zone_is_written_in_zulu() -> None:
    moscow = datetime(2026, 3, 1, 2, 30, tzinfo=timezone(timedelta(hours=3)))
    assert der.time(moscow) == b"\x17\x0d260228233000Z"


def test_a_time_without_zone_and_a_utc_time_out_of_range_are_not_written() -> None:
    with pytest.raises(InvalidInput, match="zone"):
        der.time(datetime(2026, 1, 1))  # noqa: DTZ001
    for year in (1949, 2050):
        with pytest.raises(InvalidInput, match="1950 to 2049"):
            der.utc_time(datetime(year, 1, 1, tzinfo=UTC))


TIMES = {
    "1950": (b"\x17\x0d500101000000Z", datetime(1950, 1, 1, tzinfo=UTC)),
    "2049": (b"\x17\x0d491231235959Z", datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
    "leap-day": (b"\x18\x0f20280229000000Z", datetime(2028, 2, 29, tzinfo=UTC)),
}
NO_TIMES = {
    "without-seconds": b"\x17\x0b2601010000Z",
    "fraction": b"\x18\x1120260101000000.5Z",
    "month-13": b"\x17\x0d261301000000Z",
    "february-30": b"\x17\x0d260230000000Z",
    "second-60": b"\x17\x0d260101000060Z",
    "hour-24": b"\x17\x0d260101240000Z",
    "year-0": b"\x18\x0f00000101000000Z",
    "letters": b"\x17\x0d26010100000xZ",
    "plus-sign": b"\x17\x0d+60101000000Z",
    "other-digits": b"\x18\x10" + "٢٠٢٦".encode() + b"0101000Z",
}


@pytest.mark.parametrize(("encoded", "moment"), TIMES.values(), ids=TIMES.keys())
def test_a_time_is_read(encoded: bytes, moment: datetime) -> None:
    assert decode(encoded).time("it") == moment


@pytest.mark.parametrize("encoded", NO_TIMES.values(), ids=NO_TIMES.keys())
def test_what_is_no_time_is_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedDer):
        decode(encoded).time("it")


STRINGS: dict[str, tuple[Callable[[str], bytes], Any, str]] = {
    "utf8": (der.utf8_string, core.UTF8String, "Ёж & 字"),
    "printable": (der.printable_string, core.PrintableString, "Az 09 '()+,-./:=?"),
    "numeric": (der.numeric_string, core.NumericString, "0123 456789"),
    "ia5": (der.ia5_string, core.IA5String, "a@b_c*"),
}


@pytest.mark.parametrize(("write", "kind", "text"), STRINGS.values(), ids=STRINGS.keys())
def test_strings_come_back(write: Callable[[str], bytes], kind: Any, text: str) -> None:
    assert write(text) == kind(text).dump()
    assert decode(write(text)).text("it") == text


WRONG_STRINGS: dict[str, tuple[Callable[[str], bytes], str]] = {
    "utf8-surrogate": (der.utf8_string, "\ud800"),
    "printable-at": (der.printable_string, "a@b"),
    "printable-star": (der.printable_string, "*"),
    "printable-underscore": (der.printable_string, "_"),
    "printable-cyrillic": (der.printable_string, "А"),
    "numeric-letter": (der.numeric_string, "1a"),
    "numeric-arabic": (der.numeric_string, "٣"),
    "ia5-umlaut": (der.ia5_string, "ä"),
}


@pytest.mark.parametrize(("write", "text"), WRONG_STRINGS.values(), ids=WRONG_STRINGS.keys())
def test_text_outside_its_string_type_is_not_written(write: Callable[[str], bytes], text: str) -> None:
    with pytest.raises(InvalidInput):
        write(text)


UNREADABLE = {
    "utf8-overlong": b"\x0c\x02\xc0\x80",
    "utf8-surrogate": b"\x0c\x03\xed\xa0\x80",
    "ia5-high-bit": b"\x16\x01\xe4",
    "printable-high-bit": b"\x13\x01\xe4",
    "bmp-odd": b"\x1e\x01a",
    "universal-too-large": b"\x1c\x04\x00\x11\x00\x00",
    "integer": b"\x02\x01\x01",
}


@pytest.mark.parametrize("encoded", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_octets_outside_their_string_type_are_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedDer):
        decode(encoded).text("it")


def test_a_set_is_written_in_the_order_of_its_encodings() -> None:
    parts = [der.integer(300), der.utf8_string("a"), der.integer(2)]
    assert der.set_of(*parts) == der.set_of(*reversed(parts)) == b"\x31\x0a\x02\x01\x02\x02\x02\x01\x2c\x0c\x01a"


def test_implicit_tags_keep_whether_the_value_is_constructed() -> None:
    assert der.implicit(0, der.octet_string(b"a")) == b"\x80\x01a"
    assert der.implicit(1, der.sequence(der.NULL)) == b"\xa1\x02\x05\x00"
    assert der.explicit(2, der.NULL) == b"\xa2\x02\x05\x00"


VALUES: st.SearchStrategy[bytes] = st.recursive(
    st.one_of(
        st.integers(-(1 << 200), 1 << 200).map(der.integer),
        st.binary(max_size=300).map(der.octet_string),
        st.binary(max_size=20).map(der.bit_string),
        st.booleans().map(der.boolean),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(der.utf8_string),
        st.just(der.NULL),
        MOMENTS.map(der.time),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5).map(lambda parts: der.sequence(*parts)),
        st.lists(inner, max_size=5).map(lambda parts: der.set_of(*parts)),
        st.tuples(st.integers(0, 30), inner).map(lambda pair: der.explicit(*pair)),
    ),
    max_leaves=20,
)


def again(element: Element) -> bytes:
    """The element written anew from what was read."""
    if element.tag & 0x20:
        return der.tlv(element.tag, b"".join(map(again, element.members)))
    return der.tlv(element.tag, element.content)


@given(VALUES)
@FAST
def test_whatever_is_written_is_read_and_written_the_same(encoded: bytes) -> None:
    assert again(decode(encoded)) == decode(encoded).raw == encoded


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=500)
def test_any_octets_are_read_whole_or_refused(data: bytes) -> None:
    try:
        element = decode(data)
    except MalformedDer:
        return
    assert again(element) == data


@given(VALUES, st.data())
@FAST
def test_a_changed_octet_is_read_whole_or_refused(encoded: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(encoded) - 1))
    changed = encoded[:at] + bytes([data.draw(st.integers(0, 255))]) + encoded[at + 1 :]
    try:
        element = decode(changed)
    except MalformedDer:
        return
    assert again(element) == changed


WRONG_SHAPES: dict[str, Callable[[Element], object]] = {
    "tag": lambda one: one.expect(0x31, "it"),
    "too-few": lambda one: one.sequence("it", least=3),
    "too-many": lambda one: one.sequence("it", most=1),
    "not-one": lambda one: one.inner("it"),
    "integer": lambda one: one.integer("it"),
    "boolean": lambda one: one.boolean("it"),
    "oid": lambda one: one.oid("it"),
    "octets": lambda one: one.octets("it"),
    "bits": lambda one: one.bits("it"),
    "named-bits": lambda one: one.named_bits("it"),
    "text": lambda one: one.text("it"),
    "time": lambda one: one.time("it"),
}


@pytest.mark.parametrize("read", WRONG_SHAPES.values(), ids=WRONG_SHAPES.keys())
def test_a_value_of_another_shape_is_refused_by_name(read: Callable[[Element], object]) -> None:
    with pytest.raises(MalformedDer, match=r"^it "):
        read(decode(der.sequence(der.NULL, der.NULL)))


def test_bits_that_are_no_whole_octets_are_refused() -> None:
    with pytest.raises(MalformedDer, match="whole number of octets"):
        decode(der.bit_string(b"\x80", unused=7)).bits("it")
