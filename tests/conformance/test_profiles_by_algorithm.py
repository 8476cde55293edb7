"""Every shipped profile with every algorithm it allows, and every signature algorithm, before independent judges.

The verdicts make the tables of docs/conformance.md. ``make docs`` writes them; otherwise the file has to agree.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from dilithium_py.ml_dsa import ML_DSA_44, ML_DSA_65, ML_DSA_87
from pkilint.bin import lint_pkix_signer_signee_cert_chain as chain_linter
from pkilint.loader import RFC5280CertificateDocumentLoader
from pkilint.validation import ValidationFindingSeverity

from ca_core.domain.algorithms import DEFAULT_SIGNATURE, KeyAlgorithm, SignatureAlgorithm
from ca_core.domain.errors import LintFailed
from ca_core.domain.profile import Environment, Profile, SubjectClass
from ca_core.lint.finding import Finding
from ca_core.lint.pkilint_run import lint_crl_with_pkilint, lint_ocsp_with_pkilint, lint_with_pkilint
from ca_core.packs import shipped_packs
from ca_core.x509.algorithm import fits, public_key_bits
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.ocsp import NEVER_ISSUED, CertStatus, Revoked
from ca_core.x509.ocsp_answer import OcspAnswer

# One worker makes all of it once.
pytestmark = [
    pytest.mark.xdist_group("conformance"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the package openssl"),
]

DOCUMENT = Path(__file__).parents[2] / "docs" / "conformance.md"
KEYS = sorted(
    f"{file.parents[1].name}/{file.stem}" for folder in shipped_packs() for file in folder.glob("profiles/*.toml")
)
COLUMNS = ("certificates", "full CRL", "partitioned CRL", "delta CRL", "OCSP")
SIGNERS = {
    signature: next(
        kind
        for kind in (
            # The kinds that this signature is a default of come first; RSA-2048 is below what an authority may have.
            *(one for one in KeyAlgorithm if DEFAULT_SIGNATURE[one] is signature),
            *KeyAlgorithm,
        )
        if kind is not KeyAlgorithm.RSA_2048 and fits(kind, signature)
    )
    for signature in SignatureAlgorithm
}
"""The key that each signature algorithm is tried with."""

PURPOSES = {
    "private/tls-server": "sslserver",
    "private/tls-client": "sslclient",
    "private/tsa": "timestampsign",
    "eu-eidas/tsa": "timestampsign",
    "ru-63fz/tsa": "timestampsign",
    "private/ocsp-responder": "ocsphelper",
    "private/smime": "smimesign",
}
SIGNING_PACKS = {"eu-eidas", "ru-63fz"}
"""Whose certificates sign documents, which is nearest to signing mail among what openssl asks for."""
ML_DSA = {KeyAlgorithm.ML_DSA_44: ML_DSA_44, KeyAlgorithm.ML_DSA_65: ML_DSA_65, KeyAlgorithm.ML_DSA_87: ML_DSA_87}


@cache
def openssl_knows(kind: KeyAlgorithm) -> bool:
    """ML-DSA came with OpenSSL 3.5."""
    if kind not in ML_DSA:
        return True
    listed = subprocess.run(["openssl", "list", "-signature-algorithms"], capture_output=True, text=True, check=True)
    return "ML-DSA" in listed.stdout


@dataclass
class Verdicts:
    """What the judges found, by the cells of the two tables; an empty list means that all was well."""

    profiles: dict[tuple[str, KeyAlgorithm], list[str]] = field(default_factory=dict)
    signatures: dict[tuple[SignatureAlgorithm, str], list[str]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def verdicts(conformance: Any, tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    """Everything made and judged, once."""
    verdicts = Verdicts()
    for profile in conformance.profiles:
        for kind, found in judged_profile(conformance, profile, tmp_path_factory.mktemp("profile")):
            verdicts.profiles[profile.key, kind] = found
    for signature in SignatureAlgorithm:
        for column, found in judged_signature(conformance, signature, tmp_path_factory.mktemp("signature")):
            verdicts.signatures[signature, column] = found
    return verdicts


def judged_profile(conformance: Any, profile: Profile, directory: Path) -> Iterable[tuple[KeyAlgorithm, list[str]]]:
    """Each allowed key in a certificate with all that the profile allows, and in one with what it requires."""
    chain = conformance.chain(profile.pack, KeyAlgorithm.EC_P256, SignatureAlgorithm.ECDSA_SHA256)
    issuer = {"root-ca": None, "issuing-ca": chain.root}.get(profile.name, chain.issuing)
    for kind in profile.algorithms:
        found: list[str] = []
        for full in (True, False):
            try:
                made = conformance.certificate(profile, kind, issuer, full=full)
            except LintFailed as failure:
                found += [f"{rule}: {detail}" for rule, detail in failure.fields.items()]
                continue
            found += said(lint_with_pkilint(made.der, linters=profile.linters))
            found += pkilint_pair(issuer.certificate if issuer else made, made)
            x509.load_der_x509_certificate(made.der).public_key()
            if issuer is None:
                found += dilithium(kind, made, made.tbs, made.signature)
            if openssl_knows(kind):
                root = chain.root.certificate if issuer else made
                between = chain.issuing.certificate if issuer is chain.issuing else None
                found += openssl_verify(directory, made, root, between, purpose=purpose_of(profile))
        yield kind, found


def purpose_of(profile: Profile) -> str:
    if profile.key in PURPOSES or profile.subject_class is SubjectClass.AUTHORITY:
        return PURPOSES.get(profile.key, "any")
    return "smimesign" if profile.pack in SIGNING_PACKS else "any"


def judged_signature(
    conformance: Any, signature: SignatureAlgorithm, directory: Path
) -> Iterable[tuple[str, list[str]]]:
    """A whole authority that signs with that algorithm: its certificates, lists and answers."""
    kind = SIGNERS[signature]
    chain = conformance.chain("private", kind, signature)
    root, issuing, responder = chain.root.certificate, chain.issuing.certificate, chain.responder.certificate
    (server,) = (one for one in conformance.profiles if one.key == "private/tls-server")
    leaf = conformance.certificate(server, KeyAlgorithm.EC_P256, chain.issuing)
    found: list[str] = []
    for made, issuer, purpose in (
        (root, root, "any"),
        (issuing, root, "any"),
        (responder, issuing, "ocsphelper"),
        (leaf, issuing, "sslserver"),
    ):
        found += said(lint_with_pkilint(made.der))
        found += pkilint_pair(issuer, made)
        found += dilithium(kind, issuer, made.tbs, made.signature)
        read = [x509.load_der_x509_certificate(one.der) for one in (made, issuer)]
        read[0].verify_directly_issued_by(read[1])
        if openssl_knows(kind):
            found += openssl_verify(directory, made, root, issuing if issuer is issuing else None, purpose=purpose)
    yield "certificates", found

    point = "http://ca.example.com/crl/1/2.crl"
    issuing_key = x509.load_der_x509_certificate(issuing.der).public_key()
    for column, lists in {
        "full CRL": [conformance.crl(chain.issuing, entries=entries) for entries in (0, 20)],
        "partitioned CRL": [conformance.crl(chain.issuing, entries=entries, point=point) for entries in (0, 20)],
        "delta CRL": [conformance.crl(chain.issuing, entries=entries, delta_base=3) for entries in (0, 20)],
    }.items():
        found = []
        for crl in lists:
            found += said(lint_crl_with_pkilint(crl))
            assert x509.load_der_x509_crl(crl).is_signature_valid(issuing_key)  # type: ignore[arg-type]
            if openssl_knows(kind):
                found += openssl_crl(directory, crl, issuing)
        yield column, found

    revoked = Revoked(datetime.now(UTC).replace(microsecond=0) - timedelta(days=1), 1)
    found = []
    for body in (
        conformance.ocsp(chain, CertStatus.GOOD),
        conformance.ocsp(chain, revoked, nonce=bytes(32)),
        conformance.ocsp(chain, CertStatus.UNKNOWN, digest="sha1"),
        conformance.ocsp(chain, NEVER_ISSUED),
        conformance.ocsp(chain, CertStatus.GOOD, revoked, CertStatus.UNKNOWN, nonce=b"1"),
    ):
        found += said(lint_ocsp_with_pkilint(body))
        answer = OcspAnswer.parse(body)
        assert answer.data is not None
        found += dilithium(kind, responder, answer.data.der, answer.signature)
        if openssl_knows(kind):
            found += openssl_ocsp(directory, body, root, issuing)
    yield "OCSP", found


def said(findings: Iterable[Finding]) -> list[str]:
    return [str(finding) for finding in findings]


@cache
def pair_validators() -> Sequence[Any]:
    # Its validator of signatures is left out: it verifies RSASSA-PSS as PKCS #1 v1.5. Others verify them here.
    return chain_linter.create_decoder_validation_container(), chain_linter.create_issuer_validation_container()


def pkilint_pair(issuer: SignedCertificate, subject: SignedCertificate) -> list[str]:
    """What pkilint has against a certificate beside its issuer's: names, key identifiers, policies."""
    documents: dict[str, Any] = {}
    loader = RFC5280CertificateDocumentLoader()
    decode, judge = pair_validators()
    for name, certificate in (("issuer", issuer), ("subject", subject)):
        documents[name] = loader.load_der_document(certificate.der, name, name, documents)
    for document in documents.values():
        # What it finds while decoding, the linters of the profile say; here it does not know Russian attributes.
        decode.validate(document.root)
    return [
        description.finding.code
        for result in judge.validate(documents["issuer"].root)
        for description in result.finding_descriptions
        if description.finding.severity <= ValidationFindingSeverity.WARNING
    ]


def dilithium(kind: KeyAlgorithm, issuer: SignedCertificate, data: bytes, signature: bytes) -> list[str]:
    """Another implementation of ML-DSA, since openssl may not know it; nothing for other keys."""
    if kind not in ML_DSA or ML_DSA[kind].verify(public_key_bits(issuer.public_key_info), data, signature):
        return []
    return ["dilithium-py: the signature does not verify"]


def openssl(directory: Path, *arguments: str, files: Mapping[str, bytes], says: str) -> list[str]:
    """What openssl has to complain of; ``says`` is what it writes when it is content."""
    for name, content in files.items():
        (directory / name).write_bytes(content)
    done = subprocess.run(
        ["openssl", *arguments], cwd=directory, capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode == 0 and says in done.stdout + done.stderr:
        return []
    return [f"openssl {arguments[0]}: {done.stderr.strip() or done.stdout.strip()}"]


def openssl_verify(
    directory: Path,
    made: SignedCertificate,
    root: SignedCertificate,
    between: SignedCertificate | None,
    *,
    purpose: str,
) -> list[str]:
    files = {"made.pem": made.pem, "root.pem": root.pem, "between.pem": between.pem if between else ""}
    return openssl(
        directory,
        "verify",
        "-x509_strict",
        *("-purpose", purpose, "-CAfile", "root.pem"),
        *(("-untrusted", "between.pem") if between else ()),
        "made.pem",
        files={name: text.encode() for name, text in files.items()},
        says="made.pem: OK",
    )


def openssl_crl(directory: Path, crl: bytes, issuer: SignedCertificate) -> list[str]:
    return openssl(
        directory,
        *("crl", "-inform", "DER", "-in", "list.crl", "-noout", "-CAfile", "issuer.pem"),
        files={"list.crl": crl, "issuer.pem": issuer.pem.encode()},
        says="verify OK",
    )


def openssl_ocsp(directory: Path, body: bytes, root: SignedCertificate, issuing: SignedCertificate) -> list[str]:
    return openssl(
        directory,
        *("ocsp", "-respin", "answer", "-CAfile", "root.pem", "-verify_other", "issuing.pem", "-issuer", "issuing.pem"),
        files={"answer": body, "root.pem": root.pem.encode(), "issuing.pem": issuing.pem.encode()},
        says="Response verify OK",
    )


@pytest.mark.parametrize("key", KEYS)
def test_every_algorithm_of_a_profile_satisfies_every_judge(verdicts: Verdicts, key: str) -> None:
    cells = {kind: found for (profile, kind), found in verdicts.profiles.items() if profile == key}
    assert cells
    assert not any(cells.values()), cells


@pytest.mark.parametrize("signature", list(SignatureAlgorithm), ids=lambda signature: signature.value)
def test_every_signature_algorithm_satisfies_every_judge(verdicts: Verdicts, signature: SignatureAlgorithm) -> None:
    cells = {column: verdicts.signatures[signature, column] for column in COLUMNS}
    assert not any(cells.values()), cells


def test_the_judges_object_to_what_is_wrong(conformance: Any, tmp_path: Path) -> None:
    chain = conformance.chain("private", KeyAlgorithm.EC_P256, SignatureAlgorithm.ECDSA_SHA256)
    other = conformance.chain("private", KeyAlgorithm.EC_P384, SignatureAlgorithm.ECDSA_SHA384)
    root, issuing = chain.root.certificate, chain.issuing.certificate
    stranger = other.issuing.certificate
    assert openssl_verify(tmp_path, stranger, root, None, purpose="any")
    assert openssl_verify(tmp_path, issuing, root, None, purpose="any") == []
    assert openssl_verify(tmp_path, chain.responder.certificate, root, issuing, purpose="sslserver")
    assert pkilint_pair(other.root.certificate, issuing)
    assert openssl_crl(tmp_path, conformance.crl(chain.issuing, entries=1), stranger)
    assert openssl_ocsp(tmp_path, conformance.ocsp(chain, CertStatus.GOOD), other.root.certificate, stranger)
    unknown_version = issuing.der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x01", 1)
    assert lint_with_pkilint(unknown_version)
    assert lint_with_pkilint(issuing.der, linters=("cabf-serverauth",))
    pure = conformance.chain("private", KeyAlgorithm.ML_DSA_44, SignatureAlgorithm.ML_DSA_44).issuing.certificate
    assert dilithium(KeyAlgorithm.ML_DSA_44, pure, pure.tbs, pure.signature)


@pytest.mark.parametrize("key", ["eu-eidas/natural-person", "private/smime"])
def test_a_demonstration_needs_no_public_host_name(conformance: Any, key: str) -> None:
    (profile,) = (one for one in conformance.profiles if one.key == key)
    chain = conformance.chain("private", KeyAlgorithm.EC_P256, SignatureAlgorithm.ECDSA_SHA256)
    local = {"crl": "http://127.0.0.1:8080/crl/1.crl", "ocsp": "http://127.0.0.1:8080/ocsp"}
    demo = replace(profile, environment=Environment.DEMO)
    conformance.certificate(demo, KeyAlgorithm.EC_P256, chain.issuing, urls=local)
    with pytest.raises(LintFailed, match="internal_domain_name"):
        conformance.certificate(profile, KeyAlgorithm.EC_P256, chain.issuing, urls=local)


def test_the_document_shows_these_tables(verdicts: Verdicts, conformance: Any) -> None:
    text = DOCUMENT.read_text()
    for name, table in {
        "profiles": profile_table(verdicts, conformance),
        "signatures": signature_table(verdicts),
    }.items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        assert text.count(begin) == text.count(end) == 1
        text = re.sub(f"(?s){begin}.*{end}", lambda _, new=f"{begin}{table}{end}": new, text)
    if os.environ.get("PECHATNIK_WRITE_TABLES"):
        DOCUMENT.write_text(text)
    assert DOCUMENT.read_text() == text, "run: make docs"


def profile_table(verdicts: Verdicts, conformance: Any) -> str:
    version = ".".join(importlib.metadata.version("pkilint").split(".")[:2])
    rows = [[f"profile (pkilint {version})", *(header(kind) for kind in KeyAlgorithm)]]
    for profile in conformance.profiles:
        cells = [verdicts.profiles.get((profile.key, kind)) for kind in KeyAlgorithm]
        rows.append([f"`{profile.key}` ({', '.join(profile.linters)})", *map(shown, cells)])
    return written(rows)


def signature_table(verdicts: Verdicts) -> str:
    rows = [["signature (key)", *COLUMNS]]
    for signature in SignatureAlgorithm:
        cells = [shown(verdicts.signatures[signature, column]) for column in COLUMNS]
        kind = SIGNERS[signature]
        rows.append([signature.value if signature.value == kind.value else f"{signature} ({kind})", *cells])
        rows[-1][0] += "¹" if kind in ML_DSA else ""
    return written(rows)


def header(kind: KeyAlgorithm) -> str:
    return kind.value + ("¹" if kind in ML_DSA else "")


def shown(found: Sequence[str] | None) -> str:
    if found is None:
        return "–"
    return "; ".join(dict.fromkeys(one.split(":")[0] for one in found)) or "✓"


def written(rows: Sequence[Sequence[str]]) -> str:
    head, *body = rows
    lines = [head, ["---", *[":-:"] * (len(head) - 1)], *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
