"""Each rule of RFC 5280 §6.1 and of our own, broken once, beside what openssl says of the same files."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import oid

from ca_core.domain.path_validation import NameConstraint, Reason, RevocationChecking
from tests.unit.validation.conftest import DAY, NOW, Judge, certificate, key, rsa_key, usage, with_sha1

WITHOUT = {"revocation": RevocationChecking.NONE}
POLICY = x509.ObjectIdentifier("1.3.6.1.4.1.99999.1")
OTHER = x509.ObjectIdentifier("1.3.6.1.4.1.99999.2")


@dataclass
class Case:
    """A leaf under intermediates under the root, what is asked, and what comes of it."""

    leaf: x509.Certificate
    above: Sequence[x509.Certificate]
    reason: Reason = Reason.VALID
    at: int = 0
    """Place in the chain that is named."""
    asked: dict[str, Any] = field(default_factory=dict)
    openssl: Sequence[str] | None = ()
    """Options that ask it the same; None where it has no such rule."""


def policies(*found: x509.ObjectIdentifier) -> tuple[x509.ExtensionType, bool]:
    return x509.CertificatePolicies([x509.PolicyInformation(one, None) for one in found]), False


def constraint(*, permitted: str | None = None, excluded: str | None = None) -> tuple[x509.ExtensionType, bool]:
    names = [None if one is None else [x509.DNSName(one)] for one in (permitted, excluded)]
    return x509.NameConstraints(*names), True


def dns(name: str) -> tuple[x509.ExtensionType, bool]:
    return x509.SubjectAlternativeName([x509.DNSName(name)]), False


def middle(*extensions: Any, **options: Any) -> x509.Certificate:
    return certificate("middle", "root", *extensions, **options)


def leaf(*extensions: Any, issuer: str = "middle", **options: Any) -> x509.Certificate:
    return certificate("leaf", issuer, *extensions, ca=False, **options)


def broken(one: x509.Certificate) -> x509.Certificate:
    encoded = bytearray(one.public_bytes(Encoding.DER))
    encoded[-1] ^= 1
    return x509.load_der_x509_certificate(bytes(encoded))


UNKNOWN = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.9"), b"\x05\x00"), True)
EXPLICIT = (x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=None), True)

CASES: dict[str, Callable[[], Case]] = {
    "a path that keeps every rule": lambda: Case(leaf(), [middle()]),
    "a leaf right under the root": lambda: Case(leaf(issuer="root"), []),
    "a leaf that ended": lambda: Case(leaf(ends=NOW - DAY), [middle()], Reason.EXPIRED),
    "an intermediate that ended": lambda: Case(leaf(), [middle(ends=NOW - DAY)], Reason.EXPIRED, 1),
    "a leaf that has not begun": lambda: Case(leaf(begins=NOW + DAY), [middle()], Reason.NOT_YET_VALID),
    "nobody at hand who issued it": lambda: Case(leaf(), [], Reason.NO_PATH),
    "an issuer of that name with another key": lambda: Case(
        leaf(issuer_key=key("impostor")), [middle()], Reason.NO_PATH
    ),
    "a changed signature of the leaf": lambda: Case(broken(leaf()), [middle()], Reason.BAD_SIGNATURE),
    "a changed signature of the intermediate": lambda: Case(leaf(), [broken(middle())], Reason.BAD_SIGNATURE, 1),
    "an issuer that is no authority": lambda: Case(
        leaf(), [middle(ca=False, key_usage=usage("key_cert_sign"))], Reason.NOT_AN_AUTHORITY, 1
    ),
    "an issuer that may not sign certificates": lambda: Case(
        leaf(), [middle(key_usage=usage("crl_sign"))], Reason.KEY_USAGE, 1
    ),
    "one authority too many under a pathLenConstraint": lambda: Case(
        leaf(issuer="lower"), [middle(path_length=0), certificate("lower", "middle")], Reason.PATH_LENGTH, 1
    ),
    "as many authorities as a pathLenConstraint allows": lambda: Case(
        leaf(issuer="lower"), [middle(path_length=1), certificate("lower", "middle")]
    ),
    "a name within the permitted ones": lambda: Case(
        leaf(dns("www.example.com")), [middle(constraint(permitted="example.com"))]
    ),
    "a name that is not permitted": lambda: Case(
        leaf(dns("www.example.org")), [middle(constraint(permitted="example.com"))], Reason.NAME_CONSTRAINTS
    ),
    "a name that is excluded": lambda: Case(
        leaf(dns("www.example.com")), [middle(constraint(excluded="example.com"))], Reason.NAME_CONSTRAINTS
    ),
    "a name that the asker does not permit": lambda: Case(
        leaf(dns("www.example.org")),
        [middle()],
        Reason.NAME_CONSTRAINTS,
        asked={"permitted": (NameConstraint(kind="dns", base="example.com"),)},
        openssl=None,
    ),
    "a name that the asker excludes": lambda: Case(
        leaf(dns("www.example.org")),
        [middle()],
        Reason.NAME_CONSTRAINTS,
        asked={"excluded": (NameConstraint(kind="dns", base="example.org"),)},
        openssl=None,
    ),
    "an address under a constraint of addresses, which is not understood": lambda: Case(
        leaf((x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("192.0.2.1"))]), False)),
        [middle((x509.NameConstraints([x509.IPAddress(IPv4Network("192.0.2.0/24"))], None), True))],
        Reason.CRITICAL_EXTENSION,
        openssl=None,
    ),
    "the policy that is asked for": lambda: Case(
        leaf(policies(POLICY)),
        [middle(policies(POLICY))],
        asked={"certificate_policies": frozenset({POLICY.dotted_string}), "explicit_policy": True},
        openssl=["-policy", POLICY.dotted_string, "-explicit_policy"],
    ),
    "another policy than is asked for": lambda: Case(
        leaf(policies(POLICY)),
        [middle(policies(POLICY))],
        Reason.CERTIFICATE_POLICY,
        asked={"certificate_policies": frozenset({OTHER.dotted_string}), "explicit_policy": True},
        openssl=["-policy", OTHER.dotted_string, "-explicit_policy"],
    ),
    "no policy where an authority asks for one": lambda: Case(
        leaf(), [middle(policies(POLICY), EXPLICIT)], Reason.CERTIFICATE_POLICY, openssl=["-policy_check"]
    ),
    "any policy, where it is inhibited": lambda: Case(
        leaf(policies(POLICY)),
        [middle(policies(x509.ObjectIdentifier("2.5.29.32.0")))],
        Reason.CERTIFICATE_POLICY,
        1,
        asked={"explicit_policy": True, "inhibit_any_policy": True},
        openssl=["-explicit_policy", "-inhibit_any"],
    ),
    "a critical extension that nobody knows": lambda: Case(leaf(UNKNOWN), [middle()], Reason.CRITICAL_EXTENSION),
    "such an extension of an intermediate": lambda: Case(leaf(), [middle(UNKNOWN)], Reason.CRITICAL_EXTENSION, 1),
    "a usage that is asked for and lacks": lambda: Case(
        leaf(), [middle()], Reason.KEY_USAGE, asked={"key_usage": frozenset({"keyAgreement"})}, openssl=None
    ),
    "a purpose that is asked for and lacks": lambda: Case(
        leaf((x509.ExtendedKeyUsage([oid.ExtendedKeyUsageOID.CLIENT_AUTH]), False)),
        [middle()],
        Reason.KEY_USAGE,
        asked={"extended_key_usage": frozenset({"1.3.6.1.5.5.7.3.1"})},
        openssl=["-purpose", "sslserver"],
    ),
    "a signature with SHA-1": lambda: Case(
        with_sha1(leaf(), key("middle")), [middle()], Reason.WEAK_ALGORITHM, openssl=["-auth_level", "2"]
    ),
    "an RSA key of 1,024 bits": lambda: Case(
        leaf(subject_key=rsa_key("leaf", 1024)), [middle()], Reason.WEAK_ALGORITHM, openssl=["-auth_level", "2"]
    ),
    "an authority's RSA key of 1,024 bits": lambda: Case(
        leaf(issuer_key=rsa_key("middle", 1024)),
        [middle(subject_key=rsa_key("middle", 1024))],
        Reason.WEAK_ALGORITHM,
        openssl=["-auth_level", "2"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_verdict_is_the_one_of_the_table(name: str, judge: Judge) -> None:
    case = CASES[name]()
    verdict = judge(case.leaf, *case.above, **WITHOUT, **case.asked)
    assert (verdict.reason, verdict.certificate) == (case.reason, case.at), verdict.sentence
    assert verdict.valid is (case.reason is Reason.VALID)
    assert verdict.sentence.startswith(verdict.chain[case.at].subject)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case().openssl is not None])
def test_openssl_says_the_same(name: str, root: x509.Certificate, tmp_path: Path) -> None:
    case = CASES[name]()
    files = {"root": [root], "above": case.above, "leaf": [case.leaf]}
    for file, found in files.items():
        (tmp_path / file).write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in found))
    untrusted = ["-untrusted", "above"] if case.above else []
    command = ["openssl", "verify", "-attime", str(int(NOW.timestamp())), "-CAfile", "root", *untrusted]
    done = subprocess.run([*command, *(case.openssl or ()), "leaf"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode == 0) is (case.reason is Reason.VALID), done.stderr


def test_what_is_too_weak_today_was_good_enough_in_its_time(judge: Judge) -> None:
    then = NOW.replace(year=2012)
    old = [
        certificate("old root", "old root", begins=then - DAY),
        with_sha1(certificate("old", "old root", ca=False, begins=then - DAY), key("old root")),
    ]
    assert judge(old[1], anchors=old[:1], at=then, **WITHOUT).valid
    assert judge(old[1], anchors=old[:1], **WITHOUT).reason is Reason.WEAK_ALGORITHM


def test_an_anchor_is_held_to_its_own_time(judge: Judge) -> None:
    ended = certificate("ended", "ended", ends=NOW - DAY)
    verdict = judge(certificate("leaf", "ended", ca=False), anchors=[ended], **WITHOUT)
    assert (verdict.reason, verdict.certificate) == (Reason.EXPIRED, 1)


def test_an_anchor_itself_is_valid(judge: Judge, root: x509.Certificate) -> None:
    verdict = judge(root, **WITHOUT)
    assert (verdict.valid, len(verdict.chain)) == (True, 1)


def test_a_certificate_without_the_extension_may_be_used_for_what_is_asked(judge: Judge) -> None:
    assert judge(leaf(), middle(), extended_key_usage=frozenset({"1.3.6.1.5.5.7.3.1"}), **WITHOUT).valid


def test_the_verdict_tells_the_policies_that_hold(judge: Judge) -> None:
    verdict = judge(leaf(policies(POLICY, OTHER)), middle(policies(POLICY)), **WITHOUT)
    assert verdict.policies == (POLICY.dotted_string,)


def test_another_path_is_found_where_the_first_does_not_hold(judge: Judge, root: x509.Certificate) -> None:
    verdict = judge(leaf(), middle(ends=NOW - DAY), middle(), **WITHOUT)
    assert verdict.valid
