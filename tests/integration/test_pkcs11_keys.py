"""Signing keys on a token: SoftHSM stands in for the hardware."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pkcs11 import Attribute, ObjectClass, TokenFlag

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.algorithms import DEFAULT_SIGNATURE, KeyAlgorithm, SignatureAlgorithm
from ca_core.domain.errors import CaError, ConfigurationError, Duplicate, InvalidInput, KeyMissing, KeyUnavailable
from ca_core.domain.profile import Environment
from ca_core.keys.pkcs11 import Pkcs11KeyStore
from ca_core.keys.pkcs11.login import pin_problem
from ca_core.keys.self_check import check_signer
from ca_core.packs import SHIPPED
from ca_core.packs.loader import load_packs
from ca_core.services.authorities import AuthorityOffice
from ca_core.services.founding import Founding
from ca_core.services.ports import KeyStore, Signer, Transactions
from ca_core.x509.algorithm import fits, key_algorithm_of
from ca_core.x509.extensions import check_extension_rule
from crl.office import CrlOffice

MODULES = [
    Path(path)
    for path in (
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
        "/usr/local/lib/softhsm/libsofthsm2.so",
    )
    if Path(path).exists()
]
pytestmark = pytest.mark.skipif(
    not MODULES or shutil.which("softhsm2-util") is None, reason="needs the package softhsm2"
)

PIN = b"71239-user-pin"
KINDS = [kind for kind in KeyAlgorithm if kind.is_rsa or kind.is_ec or kind is KeyAlgorithm.ED25519]
PAIRS = [(kind, signature) for kind in KINDS for signature in SignatureAlgorithm if fits(kind, signature)]
P256 = SignatureAlgorithm.ECDSA_SHA256


@dataclass
class Reader:
    """Where tokens are plugged in: the folder that SoftHSM's configuration names."""

    home: Path

    @property
    def tokens(self) -> Path:
        return self.home / "tokens"

    def token(self, label: str) -> str:
        """A new token with that label."""
        command = ["softhsm2-util", "--init-token", "--free", "--label", label]
        subprocess.run(
            [*command, "--pin", PIN.decode(), "--so-pin", "11223344"], check=True, capture_output=True, env=os.environ
        )
        return label

    def pull_out(self) -> None:
        self.tokens.rename(self.home / "away")
        self.tokens.mkdir()

    def put_in(self) -> None:
        self.tokens.rmdir()
        (self.home / "away").rename(self.tokens)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("softhsm")
    reader = Reader(home)
    reader.tokens.mkdir()
    configuration = home / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {reader.tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(configuration))
        yield reader


def open_store(
    label: str, pin: Callable[[], bytes] = lambda: PIN, *, sessions: int = 8, restart_interval: float = 0.0
) -> Pkcs11KeyStore:
    return Pkcs11KeyStore(MODULES[0], label=label, pin=pin, max_sessions=sessions, restart_interval=restart_interval)


@pytest.fixture(scope="module")
def keys(reader: Reader) -> Pkcs11KeyStore:
    """A token with a key of each kind."""
    store = open_store(reader.token("every kind"))
    for kind in KINDS:
        store.generate(kind.value, kind)
    return store


@pytest.mark.parametrize(("kind", "algorithm"), PAIRS, ids=[f"{kind}-{algorithm}" for kind, algorithm in PAIRS])
def test_every_key_makes_every_signature_that_fits(
    keys: Pkcs11KeyStore, kind: KeyAlgorithm, algorithm: SignatureAlgorithm
) -> None:
    signer: Signer = keys.signer(kind.value, algorithm)
    assert signer.algorithm is algorithm
    assert key_algorithm_of(signer.public_key_info) is kind
    check_signer(signer)


def test_the_store_is_what_the_services_expect(keys: Pkcs11KeyStore) -> None:
    port: KeyStore = keys
    assert port.references() == sorted(kind.value for kind in KINDS)


def test_a_generated_key_is_the_one_that_signs_later(reader: Reader) -> None:
    label = reader.token("later")
    public = open_store(label).generate("root", KeyAlgorithm.EC_P384)
    signer = open_store(label).signer("root", SignatureAlgorithm.ECDSA_SHA384)
    assert signer.public_key_info == public
    check_signer(signer)


def test_a_key_cannot_leave_its_token(keys: Pkcs11KeyStore) -> None:
    def read(pooled: object) -> dict[Attribute, object]:
        key = pooled.private_key("ec-p256")  # type: ignore[attr-defined]
        return {name: key[name] for name in (Attribute.SENSITIVE, Attribute.EXTRACTABLE, Attribute.NEVER_EXTRACTABLE)}

    assert keys.run(read) == {
        Attribute.SENSITIVE: True,
        Attribute.EXTRACTABLE: False,
        Attribute.NEVER_EXTRACTABLE: True,
    }


@pytest.mark.parametrize("kind", [KeyAlgorithm.ML_DSA_65, KeyAlgorithm.ML_DSA_87], ids=lambda kind: kind.value)
def test_a_kind_that_tokens_do_not_make_is_refused(keys: Pkcs11KeyStore, kind: KeyAlgorithm) -> None:
    with pytest.raises(InvalidInput, match="software key"):
        keys.generate("new", kind)


def test_a_taken_label_is_refused_and_keeps_its_key(keys: Pkcs11KeyStore) -> None:
    before = keys.signer("ec-p256", P256).public_key_info
    with pytest.raises(Duplicate, match="key ec-p256 already"):
        keys.generate("ec-p256", KeyAlgorithm.EC_P256)
    assert keys.signer("ec-p256", P256).public_key_info == before


@pytest.mark.parametrize("reference", ["", "../root", "a b", "x" * 65, "корень"], ids=ascii)
def test_a_reference_that_is_no_name_is_refused(keys: Pkcs11KeyStore, reference: str) -> None:
    with pytest.raises(InvalidInput, match="reference"):
        keys.generate(reference, KeyAlgorithm.EC_P256)
    with pytest.raises(InvalidInput, match="reference"):
        keys.signer(reference, P256)


def test_an_unknown_key_is_not_found(keys: Pkcs11KeyStore) -> None:
    with pytest.raises(KeyMissing, match="no private key labelled issuing"):
        keys.signer("issuing", P256)


def test_a_key_is_not_used_for_a_signature_that_it_cannot_make(keys: Pkcs11KeyStore) -> None:
    with pytest.raises(InvalidInput, match="ec-p256 and cannot sign with rsa-pss-sha256"):
        keys.signer("ec-p256", SignatureAlgorithm.RSA_PSS_SHA256)


def test_two_keys_of_one_label_are_refused(reader: Reader) -> None:
    label = reader.token("twice")
    store = open_store(label)
    store.generate("root", KeyAlgorithm.EC_P256)
    other = open_store(label)
    other.generate("second", KeyAlgorithm.EC_P256)

    def relabel(pooled: object) -> None:
        with pooled.session.token.open(rw=True) as session:  # type: ignore[attr-defined]
            for kind in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY):
                session.get_key(object_class=kind, label="second")[Attribute.LABEL] = "root"

    other.run(relabel)
    with pytest.raises(ConfigurationError, match="several private keys labelled root"):
        open_store(label).signer("root", P256)


def test_a_wrong_pin_makes_the_keys_unavailable_and_is_tried_once_only(reader: Reader) -> None:
    given = [b"wrong-and-secret"]
    store = open_store(reader.token("wrong pin"), lambda: given[-1])
    with pytest.raises(KeyUnavailable, match="refuses the PIN"):
        store.references()
    with pytest.raises(KeyUnavailable, match="refused this PIN before, so it is not tried again"):
        store.references()
    given.append(PIN)
    assert store.references() == []


@pytest.mark.parametrize(
    "pin", [b"wrong-and-secret", b"\xff\xfewrong-and-secret", b""], ids=["wrong", "no-text", "empty"]
)
def test_a_pin_never_shows(reader: Reader, pin: bytes) -> None:
    store = open_store(reader.token(f"shows {len(pin)}"), lambda: pin)
    with pytest.raises(KeyUnavailable) as caught:
        store.generate("root", KeyAlgorithm.EC_P256)
    error: BaseException | None = caught.value
    shown = [repr(store), repr(vars(store)), repr(vars(store._sessions))]
    while error is not None:
        shown += [str(error), repr(error), repr(error.args)]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    assert not any("secret" in text for text in shown)


def test_a_signer_does_not_show_the_pin(keys: Pkcs11KeyStore) -> None:
    assert PIN.decode() not in repr(keys.signer("ec-p256", P256))


FLAGS = {
    "locked": (TokenFlag.USER_PIN_LOCKED, "is locked"),
    "one-try-left": (TokenFlag.USER_PIN_FINAL_TRY, "one more wrong PIN locks"),
}


@pytest.mark.parametrize(("flag", "says"), FLAGS.values(), ids=FLAGS.keys())
def test_no_pin_is_tried_on_a_token_that_would_lock(flag: TokenFlag, says: str) -> None:
    assert says in (pin_problem(flag | TokenFlag.TOKEN_INITIALIZED, "vault") or "")
    assert pin_problem(TokenFlag.TOKEN_INITIALIZED | TokenFlag.LOGIN_REQUIRED, "vault") is None


def test_a_missing_token_makes_the_keys_unavailable(reader: Reader) -> None:
    with pytest.raises(KeyUnavailable, match="no token with label 'absent' is present"):
        open_store("absent").signer("root", P256)


def test_two_tokens_of_one_label_are_refused(reader: Reader) -> None:
    reader.token("twin")
    store = open_store(reader.token("twin"))
    with pytest.raises(ConfigurationError, match="several tokens with label 'twin'; choose one by serial number"):
        store.references()


NO_MODULES = {
    "missing": (None, "cannot be loaded|is not a PKCS#11 library"),
    "no-library": (b"not a library", "is not a PKCS#11 library"),
}


@pytest.mark.parametrize(("content", "says"), NO_MODULES.values(), ids=NO_MODULES.keys())
def test_what_is_no_pkcs11_library_is_refused(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "module.so"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=says):
        Pkcs11KeyStore(path, label="any", pin=lambda: PIN)


def test_another_shared_library_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="is not a PKCS#11 library"):
        Pkcs11KeyStore(Path("libc.so.6"), label="any", pin=lambda: PIN)


@pytest.mark.parametrize("label", [None, ""], ids=["none", "empty"])
def test_a_token_has_to_be_named(label: str | None) -> None:
    with pytest.raises(ConfigurationError, match="label or its serial number"):
        Pkcs11KeyStore(MODULES[0], label=label, pin=lambda: PIN)


def test_a_token_is_found_by_its_serial_number(reader: Reader) -> None:
    store = open_store(reader.token("by serial"))
    store.generate("root", KeyAlgorithm.EC_P256)
    serial: str = store.run(lambda pooled: pooled.session.token.serial.decode())
    found = Pkcs11KeyStore(MODULES[0], serial=serial, pin=lambda: PIN, restart_interval=0.0)
    assert found.references() == ["root"]


def test_a_token_that_was_pulled_out_and_put_back_signs_again(reader: Reader) -> None:
    label = reader.token("travels")
    store = open_store(label)
    store.generate("root", KeyAlgorithm.EC_P256)
    signer = store.signer("root", P256)
    check_signer(signer)
    reader.pull_out()
    try:
        with pytest.raises(KeyUnavailable, match="does not answer as it should"):
            signer.sign(b"data")
        with pytest.raises(KeyUnavailable, match="no token with label 'travels' is present"):
            signer.sign(b"data")
    finally:
        reader.put_in()
    check_signer(signer)


def test_a_login_that_was_lost_is_made_again(reader: Reader) -> None:
    store = open_store(reader.token("logged out"))
    store.generate("root", KeyAlgorithm.RSA_2048)
    signer = store.signer("root", SignatureAlgorithm.RSA_PKCS1_SHA256)
    check_signer(signer)
    # What a token does that was reset, or another part of the process that closed its sessions.
    store._module._functions.finalize(None)
    check_signer(signer)


def test_a_token_that_stays_away_is_not_searched_for_at_every_call(reader: Reader) -> None:
    store = open_store("never there", restart_interval=3600.0)
    with pytest.raises(KeyUnavailable):
        store.references()
    before = store._module._generation
    for _ in range(5):
        with pytest.raises(KeyUnavailable):
            store.references()
    assert store._module._generation == before


@pytest.mark.parametrize("sessions", [1, 4], ids=["one-session", "four-sessions"])
def test_many_threads_share_the_sessions(keys: Pkcs11KeyStore, sessions: int) -> None:
    store = open_store("every kind", sessions=sessions)
    signers = [
        store.signer(kind.value, DEFAULT_SIGNATURE[kind]) for kind in (KeyAlgorithm.EC_P256, KeyAlgorithm.ED25519)
    ]
    with ThreadPoolExecutor(12) as pool:
        for _ in pool.map(lambda n: check_signer(signers[n % 2]), range(240)):
            pass
    assert 1 <= len(store._sessions._idle) <= sessions


def test_no_more_than_the_sessions_are_at_work_at_once(keys: Pkcs11KeyStore) -> None:
    store = open_store("every kind", sessions=2)
    with store._module.in_use() as generation, ExitStack() as taken:
        for _ in range(2):
            taken.enter_context(store._sessions.session(generation))
        assert not store._sessions._free.acquire(blocking=False)


def test_threads_go_on_when_the_library_is_restarted_under_them(keys: Pkcs11KeyStore) -> None:
    store = open_store("every kind", sessions=4)
    signer = store.signer("ec-p256", P256)

    def sign(n: int) -> None:
        if n % 40 == 20:
            with store._module.in_use() as generation:
                pass
            assert store._module.restart(generation, interval=0.0)
        check_signer(signer)

    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(sign, range(200)):
            pass


def test_of_many_makers_of_one_label_one_wins(reader: Reader) -> None:
    store = open_store(reader.token("race"))

    def attempt(_: int) -> bytes | None:
        try:
            return store.generate("root", KeyAlgorithm.EC_P256)
        except Duplicate:
            return None

    with ThreadPoolExecutor(6) as pool:
        made = [public for public in pool.map(attempt, range(6)) if public]
    assert made == [store.signer("root", P256).public_key_info]


def test_nothing_but_the_authoritys_own_errors_comes_out(reader: Reader) -> None:
    store = open_store(reader.token("errors"))
    store.generate("root", KeyAlgorithm.EC_P256)
    signer = store.signer("root", P256)

    def destroy(pooled: object) -> None:
        with pooled.session.token.open(rw=True) as session:  # type: ignore[attr-defined]
            session.get_key(object_class=ObjectClass.PRIVATE_KEY, label="root").destroy()

    store.run(destroy)
    with pytest.raises(CaError):
        signer.sign(b"data")


@pytest.fixture
def database() -> str:
    """One is enough: nothing here depends on which."""
    return "sqlite"


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.EC_P256, KeyAlgorithm.RSA_3072], ids=lambda kind: kind.value)
def test_a_whole_authority_lives_on_a_token(
    reader: Reader, transactions: Transactions, algorithm: KeyAlgorithm
) -> None:
    packs = load_packs(
        [SHIPPED / "private"],
        environment=Environment.PRODUCTION,
        identifier_rules=(),
        evidence_checks=(),
        check_extension=check_extension_rule,
    )
    store = open_store(reader.token(f"authority {algorithm}"))
    office = AuthorityOffice(
        transactions,
        Founding(
            transactions,
            packs,
            store,
            environment=Environment.PRODUCTION,
            base_url="http://ca.example",
            entropy=secrets.token_bytes,
        ),
    )
    made = office.initialise(
        SYSTEM_ACTOR,
        organization="Example",
        country="XX",
        root_algorithm=algorithm,
        issuing_algorithm=algorithm,
        responder_algorithm=algorithm,
        partitions=0,
    )
    assert store.references() == sorted(one.key_reference for one in made)
    root, issuing, responder = (x509.load_der_x509_certificate(one.certificate) for one in made)
    issuing.verify_directly_issued_by(root)
    responder.verify_directly_issued_by(issuing)
    crls = CrlOffice(
        transactions,
        store,
        base_url="http://ca.example",
        lifetime=timedelta(days=7),
        rebuild_after=timedelta(days=1),
    )
    (crl,) = crls.issue(SYSTEM_ACTOR, "issuing")
    key = issuing.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
    assert x509.load_der_x509_crl(crl.der).is_signature_valid(key)
