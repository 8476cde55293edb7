"""The policy on public keys (invariant 5): sound keys of every kind pass, each kind of weak key is refused by name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from itertools import count
from math import gcd, prod
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from hypothesis import given, settings, strategies as st

from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.errors import CaError, ConfigurationError, MalformedDer, Refused, WeakKey
from ca_core.x509 import der
from ca_core.x509.key_policy import check_public_key, read_known_weak
from ca_core.x509.key_policy.low_order import _CURVES
from ca_core.x509.key_policy.primes import odd_primes_to

EVERY_KIND: dict[KeyAlgorithm, Callable[[], Any]] = {
    KeyAlgorithm.RSA_2048: lambda: rsa.generate_private_key(65537, 2048),
    KeyAlgorithm.RSA_3072: lambda: rsa.generate_private_key(65537, 3072),
    KeyAlgorithm.RSA_4096: lambda: rsa.generate_private_key(65537, 4096),
    KeyAlgorithm.EC_P256: lambda: ec.generate_private_key(ec.SECP256R1()),
    KeyAlgorithm.EC_P384: lambda: ec.generate_private_key(ec.SECP384R1()),
    KeyAlgorithm.EC_P521: lambda: ec.generate_private_key(ec.SECP521R1()),
    KeyAlgorithm.ED25519: ed25519.Ed25519PrivateKey.generate,
    KeyAlgorithm.ED448: ed448.Ed448PrivateKey.generate,
    KeyAlgorithm.ML_DSA_44: mldsa.MLDSA44PrivateKey.generate,
    KeyAlgorithm.ML_DSA_65: mldsa.MLDSA65PrivateKey.generate,
    KeyAlgorithm.ML_DSA_87: mldsa.MLDSA87PrivateKey.generate,
}


@lru_cache
def sound(kind: KeyAlgorithm) -> bytes:
    """A sound key of the kind, made by another library."""
    public = EVERY_KIND[kind]().public_key()
    return bytes(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def never(_: bytes) -> bool:
    return False


def rsa_key(modulus: int, exponent: int = 65537) -> bytes:
    return der.sequence(
        der.sequence(der.oid("1.2.840.113549.1.1.1"), der.NULL),
        der.bit_string(der.sequence(der.integer(modulus), der.integer(exponent))),
    )


def ec_key(point: bytes, curve: str = "1.2.840.10045.3.1.7") -> bytes:
    return der.sequence(der.sequence(der.oid("1.2.840.10045.2.1"), der.oid(curve)), der.bit_string(point))


def plain_key(oid: str, content: bytes) -> bytes:
    return der.sequence(der.sequence(der.oid(oid)), der.bit_string(content))


def is_prime(number: int) -> bool:
    """Miller-Rabin to fixed bases: enough for numbers that nobody chose to deceive it."""
    if gcd(number, prod(odd_primes_to(1000))) != 1 or number % 2 == 0:
        return False
    twos = ((number - 1) & -(number - 1)).bit_length() - 1
    for base in (2, 3, 5, 7, 11):
        power = pow(base, number >> twos, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


def next_prime(number: int) -> int:
    return next(candidate for candidate in count(number | 1, 2) if is_prime(candidate))


@lru_cache
def roca_modulus() -> int:
    """A 2048-bit modulus of two primes k * M + (65537 ** a mod M), as the flawed library made them."""
    product = 2 * prod(odd_primes_to(701))
    random = Random(1)

    def prime() -> int:
        while True:
            low = (3 << 1022) // product
            candidate = random.randrange(low, (1 << 1024) // product) * product
            candidate += pow(65537, random.randrange(1 << 64), product)
            if is_prime(candidate):
                return candidate

    return prime() * prime()


@lru_cache
def close_modulus(steps: int) -> int:
    """A 2048-bit product of two primes that Fermat's method finds after about ``steps`` rounds."""
    low = next_prime((1 << 1023) + (1 << 1022) + 12345)
    # (p + q) / 2 - sqrt(pq) is about (p - q)² / 8 sqrt(pq).
    gap = int((8 * steps) ** 0.5 * 2**500) * 2**12
    return low * next_prime(low + gap)


@pytest.mark.parametrize("kind", list(KeyAlgorithm), ids=lambda kind: kind.value)
def test_a_sound_key_passes(kind: KeyAlgorithm) -> None:
    assert check_public_key(sound(kind), blocklist=never) is kind


def _modulus(spki: bytes) -> int:
    key = load_der_public_key(spki)
    assert isinstance(key, rsa.RSAPublicKey)
    return key.public_numbers().n


def _sound_modulus() -> int:
    return _modulus(sound(KeyAlgorithm.RSA_2048))


RSA_WEAKNESSES = {
    "1024-bits": (lambda: rsa_key(_sound_modulus() >> 1024 | 1), "1024 bits"),
    "2040-bits": (lambda: rsa_key(_sound_modulus() >> 8 | 1), "bits"),
    "2056-bits": (lambda: rsa_key(_sound_modulus() << 8 | 1), "bits"),
    "8192-bits": (lambda: rsa_key((1 << 8191) + 1), "8192 bits"),
    "even-modulus": (lambda: rsa_key(_sound_modulus() - 1), "even"),
    "exponent-1": (lambda: rsa_key(_sound_modulus(), 1), "exponent"),
    "exponent-3": (lambda: rsa_key(_sound_modulus(), 3), "exponent"),
    "exponent-65535": (lambda: rsa_key(_sound_modulus(), 65535), "exponent"),
    "exponent-even": (lambda: rsa_key(_sound_modulus(), 65538), "exponent"),
    "exponent-of-257-bits": (lambda: rsa_key(_sound_modulus(), (1 << 256) + 1), "exponent"),
    "factor-3": (lambda: rsa_key(3 * (1 << 2046 | 1)), "small prime"),
    "factor-4093": (lambda: rsa_key(4093 * (1 << 2036 | 1)), "small prime"),
    "roca": (lambda: rsa_key(roca_modulus()), "ROCA"),
    "neighbouring-primes": (lambda: rsa_key(close_modulus(0)), "Fermat"),
    "close-primes": (lambda: rsa_key(close_modulus(60)), "Fermat"),
    "square": (lambda: rsa_key(next_prime(3 << 1022) ** 2), "Fermat"),
}


@pytest.mark.parametrize(("make", "says"), RSA_WEAKNESSES.values(), ids=RSA_WEAKNESSES.keys())
def test_a_weak_rsa_key_is_refused(make: Callable[[], bytes], says: str) -> None:
    with pytest.raises(Refused, match=says):
        check_public_key(make(), blocklist=never)


def test_primes_further_apart_than_a_hundred_rounds_pass() -> None:
    assert check_public_key(rsa_key(close_modulus(400)), blocklist=never) is KeyAlgorithm.RSA_2048


def test_the_largest_exponent_passes() -> None:
    assert check_public_key(rsa_key(_sound_modulus(), (1 << 256) - 1), blocklist=never) is KeyAlgorithm.RSA_2048


def _p256_point() -> bytes:
    return sound(KeyAlgorithm.EC_P256)[-65:]


EC_WEAKNESSES = {
    "off-the-curve": lambda: ec_key(_p256_point()[:-1] + bytes([_p256_point()[-1] ^ 1])),
    "infinity": lambda: ec_key(b"\x00"),
    "zero": lambda: ec_key(b"\x04" + bytes(64)),
    "coordinate-beyond-the-field": lambda: ec_key(b"\x04" + b"\xff" * 64),
    "compressed": lambda: ec_key(bytes([2 + (_p256_point()[-1] & 1)]) + _p256_point()[1:33]),
    "hybrid": lambda: ec_key(bytes([6 + (_p256_point()[-1] & 1)]) + _p256_point()[1:]),
    "too-short": lambda: ec_key(_p256_point()[:-1]),
    "on-another-curve": lambda: ec_key(_p256_point(), "1.3.132.0.34"),
    "secp256k1": lambda: (
        ec.generate_private_key(ec.SECP256K1())
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ),
    "explicit-parameters": lambda: der.sequence(
        der.sequence(der.oid("1.2.840.10045.2.1"), der.sequence(der.integer(1))), der.bit_string(_p256_point())
    ),
}


@pytest.mark.parametrize("make", EC_WEAKNESSES.values(), ids=EC_WEAKNESSES.keys())
def test_a_weak_ec_key_is_refused(make: Callable[[], bytes]) -> None:
    with pytest.raises((Refused, MalformedDer)):
        check_public_key(make(), blocklist=never)


ED25519, ED448, ML_DSA_44 = "1.3.101.112", "1.3.101.113", "2.16.840.1.101.3.4.3.17"
SMALL_ORDER_25519 = (
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
)
EDWARDS_WEAKNESSES = {
    **{f"ed25519-small-order-{n}": plain_key(ED25519, bytes.fromhex(h)) for n, h in enumerate(SMALL_ORDER_25519)},
    "ed25519-not-canonical": plain_key(ED25519, (2**255 - 19 + 3).to_bytes(32, "little")),
    "ed25519-off-the-curve": plain_key(ED25519, (2).to_bytes(32, "little")),
    "ed448-identity": plain_key(ED448, (1).to_bytes(57, "little")),
    "ed448-order-2": plain_key(ED448, (2**448 - 2**224 - 2).to_bytes(57, "little")),
    "ed448-order-4": plain_key(ED448, bytes(57)),
    "ed448-order-4-negative": plain_key(ED448, bytes(56) + b"\x80"),
    "ed448-not-canonical": plain_key(ED448, (2**448 - 2**224 - 1 + 3).to_bytes(57, "little")),
    "ed448-bits-beyond-the-field": plain_key(ED448, bytes(56) + b"\x01"),
}


@pytest.mark.parametrize("spki", EDWARDS_WEAKNESSES.values(), ids=EDWARDS_WEAKNESSES.keys())
def test_a_weak_edwards_key_is_refused(spki: bytes) -> None:
    with pytest.raises(WeakKey):
        check_public_key(spki, blocklist=never)


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.ED25519, KeyAlgorithm.ED448], ids=lambda kind: kind.value)
def test_points_of_small_order_are_exactly_those_that_the_cofactor_kills(algorithm: KeyAlgorithm) -> None:
    curve = _CURVES[algorithm]

    def doubled(x2: int, y2: int) -> tuple[int, int]:
        """The squares of the coordinates of 2P from those of P."""
        product = curve.d * x2 * y2
        x = 4 * x2 * y2 * pow((1 + product) ** 2, -1, curve.p)
        y = (y2 - curve.a * x2) ** 2 * pow((1 - product) ** 2, -1, curve.p)
        return x % curve.p, y % curve.p

    for y in curve.small_order:
        y2 = y * y % curve.p
        point = ((y2 - 1) * pow(curve.d * y2 - curve.a, -1, curve.p) % curve.p, y2)
        for _ in range(3):
            point = doubled(*point)
        assert point == (0, 1)


WRONG_LENGTHS = {
    "ed25519-31": plain_key(ED25519, bytes(31)),
    "ed25519-33": plain_key(ED25519, bytes(33)),
    "ed448-56": plain_key(ED448, bytes(56)),
    "ml-dsa-44-1311": plain_key(ML_DSA_44, bytes(1311)),
    "ml-dsa-44-with-a-longer-key": plain_key(ML_DSA_44, bytes(1952)),
}


@pytest.mark.parametrize("spki", WRONG_LENGTHS.values(), ids=WRONG_LENGTHS.keys())
def test_a_key_of_the_wrong_length_is_refused(spki: bytes) -> None:
    with pytest.raises(MalformedDer, match="octets"):
        check_public_key(spki, blocklist=never)


def test_a_compromised_key_is_refused() -> None:
    compromised = {hashlib.sha256(sound(KeyAlgorithm.EC_P256)).digest()}
    with pytest.raises(WeakKey, match="compromised"):
        check_public_key(sound(KeyAlgorithm.EC_P256), blocklist=compromised.__contains__)
    assert check_public_key(sound(KeyAlgorithm.EC_P384), blocklist=compromised.__contains__)


def test_a_listed_debian_key_is_refused(tmp_path: Path) -> None:
    spki = sound(KeyAlgorithm.RSA_2048)
    # As openssl prints it: `openssl rsa -modulus -noout | sha1sum | cut -c21-40`.
    entry = hashlib.sha1(f"Modulus={_modulus(spki):X}\n".encode()).hexdigest()[20:]
    path = tmp_path / "blacklist.RSA-2048"
    path.write_text(f"# A comment\n\n{'0' * 20}\n{entry}\n")
    known = read_known_weak([path])
    with pytest.raises(WeakKey, match="known weak"):
        check_public_key(spki, blocklist=never, known_weak=known)
    assert check_public_key(sound(KeyAlgorithm.RSA_3072), blocklist=never, known_weak=known)


@pytest.mark.parametrize("line", ["zz" * 10, "0" * 19, "0" * 40], ids=["not-hex", "short", "whole-digest"])
def test_a_wrong_entry_names_file_and_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "list"
    path.write_text(f"# first\n{line}\n")
    with pytest.raises(ConfigurationError, match="list line 2"):
        read_known_weak([path])


def test_a_missing_or_binary_list_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_known_weak([tmp_path / "absent"])
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="ASCII"):
        read_known_weak([tmp_path / "binary"])


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=400))
def test_garbage_raises_only_our_errors(data: bytes) -> None:
    with pytest.raises(CaError):
        check_public_key(data, blocklist=never)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(list(KeyAlgorithm)), st.data())
def test_a_changed_key_is_accepted_or_raises_only_our_errors(kind: KeyAlgorithm, data: st.DataObject) -> None:
    spki = bytearray(sound(kind))
    at = data.draw(st.integers(0, min(len(spki), 64) - 1))
    spki[at] = data.draw(st.integers(0, 255))
    with suppress(CaError):
        check_public_key(bytes(spki), blocklist=never)


@settings(deadline=None, max_examples=300)
@given(st.integers(-1, 1 << 4200), st.integers(-1, 1 << 300))
def test_any_rsa_numbers_are_accepted_or_raise_only_our_errors(modulus: int, exponent: int) -> None:
    with suppress(CaError):
        check_public_key(rsa_key(modulus, exponent), blocklist=never)
