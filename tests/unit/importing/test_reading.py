"""Bundles, indexes and certificates of other software, read beside other readers and cut off anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, strategies as st

from ca_core.domain.certificate import CertificateState, RevocationReason
from ca_core.domain.errors import InvalidInput, MalformedDer
from ca_core.domain.identifiers import Serial
from ca_core.domain.importing import ImportedStatus
from ca_core.x509 import bundle
from ca_core.x509.bundle import Piece, certificates_of, pieces
from ca_core.x509.certificate_fields import read_fields, subject_text
from ca_core.x509.name import render_name
from ca_core.x509.openssl_index import read_index
from pechatnik.processes import spread_over

KEY = ec.generate_private_key(ec.SECP256R1())
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def made(common: str = "one", *, year: int = 2030, extended: bool = True) -> x509.Certificate:
    attributes = [x509.NameAttribute(x509.NameOID.COMMON_NAME, common), x509.NameAttribute(x509.NameOID.SURNAME, "ЁΩ")]
    builder = (
        x509.CertificateBuilder(x509.Name(attributes[:1]), x509.Name(attributes), KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(MOMENT)
        .not_valid_after(MOMENT.replace(year=year))
    )
    if extended:
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(KEY.public_key()), False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(KEY.public_key()), False)
    return builder.sign(KEY, hashes.SHA256())


def ders(certificates: list[x509.Certificate]) -> list[bytes]:
    return [one.public_bytes(Encoding.DER) for one in certificates]


@pytest.mark.parametrize("year", [2030, 2060])
@pytest.mark.parametrize("extended", [True, False])
def test_the_fields_are_those_that_cryptography_reads(year: int, extended: bool) -> None:
    certificate = made(year=year, extended=extended)
    fields = read_fields(certificate.public_bytes(Encoding.DER))
    assert fields.tbs == certificate.tbs_certificate_bytes
    assert fields.signature == certificate.signature
    assert fields.serial == certificate.serial_number
    assert (fields.not_before, fields.not_after) == (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    assert fields.issuer == certificate.issuer.public_bytes()
    assert fields.subject == certificate.subject.public_bytes()
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert fields.public_key_info == spki
    identifier = x509.SubjectKeyIdentifier.from_public_key(KEY.public_key()).digest
    assert fields.authority_key_identifier == (identifier if extended else None)
    assert subject_text(fields.subject) == render_name(fields.subject)


WHOLE = made().public_bytes(Encoding.DER)


@given(end=st.integers(0, len(WHOLE) - 1))
def test_what_is_cut_off_anywhere_is_malformed(end: int) -> None:
    with pytest.raises(MalformedDer):
        read_fields(WHOLE[:end])


@given(at=st.integers(0, len(WHOLE) - 1), octet=st.integers(0, 255), more=st.binary(max_size=3))
def test_no_bytes_make_it_fail_otherwise(at: int, octet: int, more: bytes) -> None:
    try:
        fields = read_fields(WHOLE[:at] + bytes([octet]) + WHOLE[at + 1 :] + more)
        subject_text(fields.subject)
    except MalformedDer:
        pass


@pytest.mark.parametrize("size", [1, 900, 1 << 20])
def test_pieces_lose_nothing_and_know_where_they_are(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(bundle, "PIECE", size)
    given = [made(f"no {number}") for number in range(7)]
    pem = b"some text\n" + b"\n".join(one.public_bytes(Encoding.PEM) for one in given) + b"the end"
    for data in (pem, b"".join(ders(given))):
        cut = list(pieces("file", data))
        assert b"".join(one.data for one in cut) == data
        found = [one for piece in cut for one in certificates_of(piece)]
        assert [der for _, der in found] == ders(given)
        for position, _ in found:
            assert data[position:].startswith((b"-----BEGIN", b"\x30"))


def test_a_file_of_nothing_is_passed_over_and_one_of_something_else_is_named() -> None:
    assert list(pieces("file", b"")) == []
    (piece,) = pieces("file", b"hello")
    assert list(certificates_of(piece)) == [(0, "there is no certificate in it")]
    whole = b"\x30\x03\x02\x01\x01"
    reason = "the rest of the file cannot be read: the structure ends in the middle of a value"
    assert list(certificates_of(Piece("file", 0, whole + b"\x31"))) == [(0, whole), (5, reason)]


def test_an_index_that_openssl_wrote_is_read(tmp_path: Path) -> None:
    """``openssl ca`` itself issues, revokes and writes the index."""
    (tmp_path / "index.txt").touch()
    (tmp_path / "serial").write_text("0A01")
    (tmp_path / "ca.cnf").write_text(
        "[ca]\ndefault_ca = d\n[d]\ndatabase = index.txt\nserial = serial\nnew_certs_dir = .\ndefault_md = sha256\n"
        "default_days = 9\npolicy = p\n[p]\ncommonName = supplied\n[req]\ndistinguished_name = n\n[n]\n"
    )

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True, timeout=60)

    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "ca.cnf")
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=CA")
    authority = ("ca", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key")
    for number in ("1", "2", "3"):
        openssl("req", *new, "-keyout", "key", "-out", f"{number}.csr", "-subj", f"/CN={number}")
        openssl(*authority, "-batch", "-notext", "-in", f"{number}.csr", "-out", f"{number}.pem")
    openssl(*authority, "-revoke", "2.pem", "-crl_reason", "superseded")
    openssl(*authority, "-revoke", "3.pem", "-crl_hold", "holdInstructionReject")
    entries = {one.serial: one for one in read_index((tmp_path / "index.txt").read_text())}
    assert [entries[serial].reason for serial in (0x0A01, 0x0A02, 0x0A03)] == [None, 4, 6]
    assert entries[0x0A02].revoked_at is not None


@pytest.mark.parametrize(
    "line",
    ["V\t300101000000Z\t\t01", "X\t300101000000Z\t\t01\tunknown\t/", "R\t300101000000Z\t\t01\tunknown\t/",
     "R\t300101000000Z\t3001,superseded\t01\tunknown\t/", "R\t300101000000Z\t300101000000Z,boredom\t01\tunknown\t/",
     "V\t300101000000Z\t\tzz\tunknown\t/"],
)  # fmt: skip
def test_a_line_that_is_none_of_an_index_is_named(line: str) -> None:
    with pytest.raises(InvalidInput, match="line 2 "):
        list(read_index(f"V\t300101000000Z\t\t02\tunknown\t/\n{line}"))


@pytest.mark.parametrize("invalid", [None, MOMENT])
@pytest.mark.parametrize("reason", RevocationReason)
def test_a_status_is_kept_as_text_and_comes_back(reason: RevocationReason, invalid: datetime | None) -> None:
    status = ImportedStatus(MOMENT, reason, invalid)
    assert ImportedStatus.read(status.text) == status
    assert (status.state is CertificateState.HELD) == (reason is RevocationReason.CERTIFICATE_HOLD)
    assert len(status.text) <= 100
    assert ImportedStatus.read("") is None


@pytest.mark.parametrize("processes", [1, 2])
def test_work_that_is_spread_comes_back_in_its_order(processes: int) -> None:
    with spread_over(processes) as spread:
        assert list(spread(Serial, range(1, 50))) == [Serial(one) for one in range(1, 50)]


def test_the_processes_end_with_the_one_that_started_them(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(
        "import os\nfrom pechatnik.processes import spread_over\n"
        "if __name__ == '__main__':\n"
        "    with spread_over(2) as spread:\n"
        "        print(*set(spread(getpid, range(20))), flush=True)\n"
        "        os.kill(os.getpid(), 9)\n".replace("getpid,", "worker,").replace(
            "import os\n", "import os\n\n\ndef worker(_):\n    return os.getpid()\n\n\n", 1
        )
    )
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=False, timeout=60)
    workers = [int(one) for one in done.stdout.split()]
    assert workers
    deadline = time.monotonic() + 30
    while any(_alive(one) for one in workers):
        assert time.monotonic() < deadline, "they outlived their parent"


def _alive(process: int) -> bool:
    try:
        state: Any = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return False
    return state != "Z" and os.path.exists(f"/proc/{process}")
