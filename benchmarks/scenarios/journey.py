"""From application to accepted certificate over REST, subscriber and operator in turn, and its status at the end."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from locust import task

from benchmarks.scenarios.ocsp import good
from benchmarks.scenarios.scenario import Scenario


class Journey(Scenario):
    """A subscriber with a key of his own, and the operator who decides. Documents are not part of it: an account may
    upload sixty a minute."""

    scenario = "journey"

    @task
    def walk(self) -> None:
        subscriber, operator = self.prepared.subscriber, self.prepared.operator
        body = {
            "profile": self.prepared.profile,
            "subject": self.prepared.subject,
            "centre": self.prepared.centre,
        }
        application = self.api("apply", "POST", "/applications", token=subscriber, body=body, expect=201)
        path = f"/applications/{application['id']}"
        self.api("submit", "POST", f"{path}/submit", token=subscriber, version=application["version"])
        self.api("claim", "POST", f"{path}/claim", token=operator)
        seen = self.api("look", "GET", f"{path}/snapshot", token=operator)
        digest = {"digest": seen["digest"]}
        version = seen["application"]["version"]
        approved = self.api("approve", "POST", f"{path}/approve", token=operator, version=version, body=digest)
        request = {"request": _request()}
        received = self.api(
            "request", "PUT", f"{path}/request", token=subscriber, version=approved["version"], body=request
        )
        certificate = self.api("issue", "POST", f"{path}/issue", token=subscriber, version=received["version"])
        current = self.api("see", "GET", path, token=subscriber)
        self.api("accept", "POST", f"{path}/accept", token=subscriber, version=current["version"])
        self._ask_status(certificate["id"])

    def _ask_status(self, certificate: str) -> None:
        authorization = {"Authorization": f"Bearer {self.prepared.subscriber}"}
        chain = self.call("fetch", "GET", f"/api/v1/certificates/{certificate}/chain", headers=authorization)
        own, issuer, *_ = x509.load_pem_x509_certificates(chain.content or b"")
        question = ocsp.OCSPRequestBuilder().add_certificate(own, issuer, hashes.SHA1()).build()
        path = quote(b64encode(question.public_bytes(Encoding.DER)), safe="")
        self.call("status", "GET", f"/ocsp/{path}", check=good)


def _request() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return made.public_bytes(Encoding.PEM).decode()
