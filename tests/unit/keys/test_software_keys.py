"""Signing keys in encrypted files."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from ca_core.domain.algorithms import DEFAULT_SIGNATURE, KeyAlgorithm, SignatureAlgorithm
from ca_core.domain.errors import (
    ConfigurationError,
    Duplicate,
    IntegrityAlarm,
    InvalidInput,
    KeyMissing,
    KeyUnavailable,
)
from ca_core.keys.self_check import check_signer
from ca_core.keys.software import SoftwareKeyStore
from ca_core.services.ports import KeyStore, Signer
from ca_core.x509.algorithm import fits, key_algorithm_of

PASSPHRASE = b"correct horse battery staple"


def store_in(directory: Path, passphrase: bytes = PASSPHRASE) -> SoftwareKeyStore:
    return SoftwareKeyStore(directory, lambda: passphrase, entropy=secrets.token_bytes)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> SoftwareKeyStore:
    """A store with one key of each kind."""
    store = store_in(tmp_path_factory.mktemp("keys", numbered=True) / "private")
    for algorithm in KeyAlgorithm:
        store.generate(algorithm.value, algorithm)
    return store


@pytest.fixture
def one_key(tmp_path: Path) -> Path:
    """A directory with one key, ``root``."""
    store_in(tmp_path / "keys").generate("root", KeyAlgorithm.EC_P256)
    return tmp_path / "keys"


PAIRS = [(key, signature) for key in KeyAlgorithm for signature in SignatureAlgorithm if fits(key, signature)]


@pytest.mark.parametrize(("kind", "algorithm"), PAIRS, ids=[f"{key}-{signature}" for key, signature in PAIRS])
def test_every_key_makes_every_signature_that_fits(
    keys: SoftwareKeyStore, kind: KeyAlgorithm, algorithm: SignatureAlgorithm
) -> None:
    signer: Signer = keys.signer(kind.value, algorithm)
    assert key_algorithm_of(signer.public_key_info) is kind
    assert signer.algorithm is algorithm
    check_signer(signer)


def test_the_store_is_what_the_services_expect(keys: SoftwareKeyStore) -> None:
    port: KeyStore = keys
    assert port.references() == sorted(algorithm.value for algorithm in KeyAlgorithm)


@pytest.mark.parametrize("kind", [KeyAlgorithm.EC_P384, KeyAlgorithm.ML_DSA_44], ids=lambda kind: kind.value)
def test_a_key_is_the_same_in_the_next_process(tmp_path: Path, kind: KeyAlgorithm) -> None:
    public = store_in(tmp_path / "keys").generate("root", kind)
    signer = store_in(tmp_path / "keys").signer("root", DEFAULT_SIGNATURE[kind])
    assert signer.public_key_info == public
    check_signer(signer)


def test_a_key_signs_from_many_threads(keys: SoftwareKeyStore) -> None:
    signer = keys.signer("ec-p256", SignatureAlgorithm.ECDSA_SHA256)
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(lambda _: check_signer(signer), range(200)):
            pass


def test_a_taken_reference_is_refused_and_keeps_its_key(one_key: Path) -> None:
    before = (one_key / "root.pem").read_bytes()
    with pytest.raises(Duplicate, match="exists already"):
        store_in(one_key).generate("root", KeyAlgorithm.EC_P256)
    assert (one_key / "root.pem").read_bytes() == before
    assert os.listdir(one_key) == ["root.pem"]


def test_of_many_writers_of_one_reference_one_wins(tmp_path: Path) -> None:
    def attempt(_: int) -> bytes | None:
        try:
            return store_in(tmp_path / "keys").generate("root", KeyAlgorithm.EC_P256)
        except Duplicate:
            return None

    with ThreadPoolExecutor(4) as pool:
        made = [public for public in pool.map(attempt, range(4)) if public]
    assert made == [store_in(tmp_path / "keys").signer("root", SignatureAlgorithm.ECDSA_SHA256).public_key_info]


@pytest.mark.parametrize(
    "reference", ["", ".hidden", "../root", "a/b", "a b", "-x", "x" * 65, "корень", "a\0b"], ids=ascii
)
def test_a_reference_that_is_no_name_is_refused(tmp_path: Path, reference: str) -> None:
    with pytest.raises(InvalidInput, match="reference"):
        store_in(tmp_path).generate(reference, KeyAlgorithm.EC_P256)
    with pytest.raises(InvalidInput, match="reference"):
        store_in(tmp_path).signer(reference, SignatureAlgorithm.ECDSA_SHA256)


def test_files_are_private_and_encrypted(one_key: Path) -> None:
    assert (one_key / "root.pem").stat().st_mode & 0o777 == 0o600
    assert one_key.stat().st_mode & 0o777 == 0o700
    assert (one_key / "root.pem").read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the package openssl")
def test_openssl_reads_the_files(one_key: Path) -> None:
    command = ["openssl", "pkey", "-in", str(one_key / "root.pem"), "-passin", "stdin", "-pubout", "-outform", "DER"]
    public = subprocess.run(command, input=PASSPHRASE, capture_output=True, check=True).stdout
    assert public == store_in(one_key).signer("root", SignatureAlgorithm.ECDSA_SHA256).public_key_info


def test_a_key_that_openssl_style_tools_encrypted_is_read(one_key: Path) -> None:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE)
    )
    replace(one_key, pem)
    check_signer(store_in(one_key).signer("root", SignatureAlgorithm.ECDSA_SHA256))


def replace(directory: Path, content: bytes) -> None:
    (directory / "root.pem").write_bytes(content)


def replace_by_link(directory: Path) -> None:
    (directory / "root.pem").rename(directory.parent / "elsewhere.pem")
    (directory / "root.pem").symlink_to(directory.parent / "elsewhere.pem")


def replace_by_fifo(directory: Path) -> None:
    (directory / "root.pem").unlink()
    os.mkfifo(directory / "root.pem", 0o600)


def link_directory(directory: Path) -> None:
    directory.rename(directory.parent / "elsewhere")
    directory.symlink_to(directory.parent / "elsewhere")


UNENCRYPTED = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "unencrypted": (lambda at: replace(at, UNENCRYPTED), "not an encrypted"),
    "no-key": (lambda at: replace(at, b"\x00" * 100), "not an encrypted"),
    "huge": (lambda at: replace(at, b"-----BEGIN ENCRYPTED PRIVATE KEY-----" + bytes(70_000)), "longer than"),
    "readable-by-group": (lambda at: (at / "root.pem").chmod(0o640), "chmod 600"),
    "readable-by-all": (lambda at: (at / "root.pem").chmod(0o604), "chmod 600"),
    "symbolic-link": (replace_by_link, "symbolic link"),
    "fifo": (replace_by_fifo, "not a regular file"),
    "open-directory": (lambda at: at.chmod(0o750), "chmod 700"),
    "linked-directory": (link_directory, "symbolic link"),
}


@pytest.mark.parametrize(("spoil", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_a_file_that_is_not_kept_as_it_should_is_refused(
    one_key: Path, spoil: Callable[[Path], object], says: str
) -> None:
    spoil(one_key)
    with pytest.raises(ConfigurationError, match=says):
        store_in(one_key).signer("root", SignatureAlgorithm.ECDSA_SHA256)


def test_a_file_of_another_user_is_refused(one_key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    another = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: another)
    with pytest.raises(ConfigurationError, match="another user"):
        store_in(one_key).signer("root", SignatureAlgorithm.ECDSA_SHA256)


def test_a_wrong_passphrase_makes_the_key_unavailable_and_the_right_one_later_available(one_key: Path) -> None:
    given = [b"wrong"]
    store = SoftwareKeyStore(one_key, lambda: given[-1], entropy=secrets.token_bytes)
    with pytest.raises(KeyUnavailable, match="passphrase does not open"):
        store.signer("root", SignatureAlgorithm.ECDSA_SHA256)
    given.append(PASSPHRASE)
    check_signer(store.signer("root", SignatureAlgorithm.ECDSA_SHA256))


def test_a_damaged_file_makes_the_key_unavailable(one_key: Path) -> None:
    pem = (one_key / "root.pem").read_bytes()
    replace(one_key, pem[:-80] + b"A" * 4 + pem[-76:])
    with pytest.raises(KeyUnavailable, match="damaged"):
        store_in(one_key).signer("root", SignatureAlgorithm.ECDSA_SHA256)


def test_a_missing_key_is_not_found(one_key: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyMissing, match="no key issuing"):
        store_in(one_key).signer("issuing", SignatureAlgorithm.ECDSA_SHA256)
    with pytest.raises(KeyMissing, match="no key root"):
        store_in(tmp_path / "absent").signer("root", SignatureAlgorithm.ECDSA_SHA256)
    assert store_in(tmp_path / "absent").references() == []


def test_a_key_is_not_used_for_a_signature_that_it_cannot_make(one_key: Path) -> None:
    with pytest.raises(InvalidInput, match="ec-p256 and cannot sign with rsa-pss-sha256"):
        store_in(one_key).signer("root", SignatureAlgorithm.RSA_PSS_SHA256)


def test_a_signer_whose_public_key_is_another_one_alarms(keys: SoftwareKeyStore) -> None:
    class Swapped:
        algorithm_identifier = keys.signer("ec-p256", SignatureAlgorithm.ECDSA_SHA256).algorithm_identifier
        public_key_info = store_public = keys.signer("ec-p256", SignatureAlgorithm.ECDSA_SHA256).public_key_info

        def sign(self, data: bytes) -> bytes:
            return keys.signer("ec-p384", SignatureAlgorithm.ECDSA_SHA256).sign(data)

    with pytest.raises(IntegrityAlarm):
        check_signer(Swapped())


def test_a_key_that_was_made_elsewhere_is_kept_encrypted_and_signs(tmp_path: Path) -> None:
    store = store_in(tmp_path / "keys")
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for reference, passphrase in (("plain", None), ("sealed", b"theirs")):
        encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
        store.take_in(reference, pem, passphrase, public_key_info=public)
        check_signer(store.signer(reference, SignatureAlgorithm.ECDSA_SHA256))
        assert b"ENCRYPTED" in (tmp_path / "keys" / f"{reference}.pem").read_bytes()
        with pytest.raises(Duplicate):
            store.take_in(reference, pem, passphrase, public_key_info=public)


def test_a_key_of_another_certificate_or_passphrase_is_not_taken_in(tmp_path: Path) -> None:
    store = store_in(tmp_path / "keys")
    key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    public = other.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"theirs"))
    for passphrase, sentence in ((b"theirs", "not the one"), (b"other", "passphrase"), (None, "passphrase")):
        with pytest.raises(InvalidInput, match=sentence):
            store.take_in("x", pem, passphrase, public_key_info=public)
    assert store.references() == []
