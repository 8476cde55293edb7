"""Names of uploads are hostile input that people have to recognise."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings, strategies as st

from ca_core.documents.filename import extension, safe_filename


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("passport.pdf", "passport.pdf"),
        ("Паспорт, стр. 2–3.PDF", "Паспорт, стр. 2–3.PDF"),
        ("جواز السفر.png", "جواز السفر.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\scan.tiff", "scan.tiff"),
        ("a/b\\..", "document"),
        ("", "document"),
        ("...", "document"),
        (".pdf", "document.pdf"),
        ("scan.pdf\0.exe", "scan.pdf.exe"),
        ("scan\r\nSet-Cookie: a=b.pdf", "scanSet-Cookie_ a=b.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\u200b\u2066b\ufeff.jpg", "ab.jpg"),
        ("bad\udcffname.png", "badname.png"),
        ('<img src=x onerror="a">.png', "_img src=x onerror=_a__.png"),
        ("$(reboot);`id`|x&y.pdf", "_(reboot)__id__x_y.pdf"),
        ("  two   spaces\u00a0.pdf", "two spaces.pdf"),
        ("и\u0306.pdf", "й.pdf"),
        ("x" * 500 + ".pdf", "x" * 116 + ".pdf"),
        ("x" * 500, "x" * 120),
        ("a.notanextension", "a.notanextension"),
    ],
)
def test_a_name_is_made_safe(name: str, safe: str) -> None:
    assert safe_filename(name) == safe


@given(st.text())
@settings(deadline=None)
def test_a_safe_name_has_no_path_no_control_and_a_bounded_length(name: str) -> None:
    safe = safe_filename(name)
    assert 0 < len(safe) <= 120
    assert not set(safe) & set("/\\\0\"'<>&$`")
    assert not any(unicodedata.category(character).startswith("C") for character in safe)
    assert not safe.startswith(".")
    assert safe_filename(safe) == safe


@pytest.mark.parametrize(("name", "ending"), [("a.PDF", "pdf"), ("a.tar.gz", "gz"), ("noending", "")])
def test_the_extension_is_what_follows_the_last_dot(name: str, ending: str) -> None:
    assert extension(name) == ending
