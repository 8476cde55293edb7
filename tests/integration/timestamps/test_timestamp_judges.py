"""Tokens before judges that have nothing of ours, and their requests before us: openssl ts, rfc3161-client, pyHanko."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import rfc3161_client
from asn1crypto import tsp
from cryptography import x509
from pyhanko.sign.timestamps import TimeStamper

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.x509.certificate import to_pem
from ca_core.x509.timestamp import TimestampRequest, granted
from tests.integration.timestamps.conftest import CONTENT, Office, request_for


@pytest.fixture
def database() -> str:
    """One is enough: nothing here depends on which."""
    return "sqlite"


@pytest.fixture
def chain(house: Any) -> dict[str, bytes]:
    return {one.name: one.certificate for one in house.services.authorities.list(SYSTEM_ACTOR)}


def openssl(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["openssl", "ts", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def answered(office: Office, encoded: bytes) -> bytes:
    return granted(office.stamp(TimestampRequest.parse(encoded), accuracy=timedelta(hours=1)))


@pytest.mark.parametrize(
    "algorithm",
    [KeyAlgorithm.EC_P256, KeyAlgorithm.EC_P384, KeyAlgorithm.RSA_3072],
    ids=lambda algorithm: algorithm.value,
)
@pytest.mark.parametrize("digest", ["sha256", "sha512", "sha3-256"])
def test_openssl_takes_our_tokens_and_we_take_its_requests(
    house: Any, clock: Any, chain: Any, tmp_path: Path, make_tsa: Callable[..., Any], algorithm: Any, digest: str
) -> None:
    office = Office(house, clock, make_tsa(algorithm=algorithm))
    (tmp_path / "root.pem").write_text(to_pem(chain["root"]))
    (tmp_path / "document").write_bytes(CONTENT)
    openssl(tmp_path, "-query", "-data", "document", f"-{digest}", "-cert", "-out", "query")
    (tmp_path / "reply").write_bytes(answered(office, (tmp_path / "query").read_bytes()))
    said = openssl(tmp_path, "-reply", "-in", "reply", "-text")
    assert "Status: Granted." in said
    for given in (("-queryfile", "query"), ("-data", "document")):
        openssl(tmp_path, "-verify", *given, "-in", "reply", "-CAfile", "root.pem")
    (tmp_path / "document").write_bytes(b"another document")
    refused = subprocess.run(
        ["openssl", "ts", "-verify", "-data", "document", "-in", "reply", "-CAfile", "root.pem"],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    assert refused.returncode != 0


def test_rfc3161_client_takes_our_tokens_and_we_take_its_requests(office: Office, chain: dict[str, bytes]) -> None:
    query = (
        rfc3161_client.TimestampRequestBuilder().data(CONTENT).nonce(nonce=True).cert_request(cert_request=True).build()
    )
    response = rfc3161_client.decode_timestamp_response(answered(office, query.as_bytes()))
    verifier = (
        rfc3161_client.VerifierBuilder()
        .add_root_certificate(x509.load_der_x509_certificate(chain["root"]))
        .nonce(query.nonce)
        .build()
    )
    assert verifier.verify(response, hashlib.sha512(CONTENT).digest())


class OurStamper(TimeStamper):
    """pyHanko's client, with our service behind it."""

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.office = office

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        return tsp.TimeStampResp.load(answered(self.office, req.dump()))


def test_pyhanko_takes_our_tokens_and_we_take_its_requests(office: Office) -> None:
    stamper = OurStamper(office)
    digest = hashlib.sha256(CONTENT).digest()
    token = asyncio.run(stamper.async_timestamp(digest, "sha256"))
    info = token["content"]["encap_content_info"]["content"].parsed
    assert info["message_imprint"]["hashed_message"].native == digest
    assert office.house.services.timestamp_archive.verify(token.dump(), CONTENT).valid


def test_another_reader_finds_what_we_signed_and_names_the_certificate(office: Office) -> None:
    token = tsp.TimeStampResp.load(granted(office.stamp(request_for(certificates=True))))["time_stamp_token"]
    signed = token["content"]
    (signer,) = signed["signer_infos"]
    attributes = {one["type"].native: one["values"][0] for one in signer["signed_attrs"]}
    assert attributes.keys() == {"content_type", "message_digest", "signing_certificate_v2"}
    (named,) = attributes["signing_certificate_v2"]["certs"]
    assert named["cert_hash"].native == hashlib.sha256(office.tsa.certificate).digest()
    assert signed["version"].native == "v3"
