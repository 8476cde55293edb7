"""What people type into the cabinet's form, and the sentences that they read there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import ca_core
from portal.names import format_names, parse_names
from portal.sentences import SENTENCES

ANY = {"dns", "ip", "email", "uri"}


@pytest.mark.parametrize(
    ("text", "allowed", "names"),
    [
        ("", ANY, ()),
        (" \n\r\n ", ANY, ()),
        ("example.org", ANY, (("dns", "example.org"),)),
        ("DNS: example.org", ANY, (("dns", "example.org"),)),
        ("192.0.2.1\n2001:db8::1", ANY, (("ip", "192.0.2.1"), ("ip", "2001:db8::1"))),
        ("ip:2001:db8::1", ANY, (("ip", "2001:db8::1"),)),
        ("a@example.org", ANY, (("email", "a@example.org"),)),
        ("https://example.org/", ANY, (("uri", "https://example.org/"),)),
        ("uri:urn:example:1", ANY, (("uri", "urn:example:1"),)),
        ("not at all a name", {"email"}, (("email", "not at all a name"),)),
    ],
    ids=["nothing", "blank", "host", "typed host", "ips", "typed ip", "mailbox", "address", "urn", "one type"],
)
def test_names_are_read_as_people_mean_them(text: str, allowed: set[str], names: tuple[tuple[str, str], ...]) -> None:
    assert parse_names(text, allowed) == names
    assert parse_names(format_names(names), allowed) == names


def test_every_sentence_marked_for_translation_is_one_that_the_services_say() -> None:
    said = set()
    for file in Path(ca_core.__file__).parent.rglob("*.py"):
        constants = (node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant))
        said |= {value for value in constants if isinstance(value, str)}
    assert [sentence for sentence in SENTENCES if sentence not in said] == []
