"""Questions about the status of certificates, as relying parties ask them."""

from __future__ import annotations

import random
from base64 import b64decode
from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import quote

from cryptography.x509.ocsp import OCSPCertStatus, OCSPResponseStatus, load_der_ocsp_response
from locust import task
from locust.contrib.fasthttp import FastResponse

from benchmarks.scenarios.scenario import Check, Scenario


def good(answer: FastResponse) -> str | None:
    """The fault in an answer that should say "good"."""
    return None if _status(answer) is OCSPCertStatus.GOOD else "does not say good"


def not_good(answer: FastResponse) -> str | None:
    """The fault in an answer about a serial that was never issued: whatever the policy, never "good"."""
    return "says good" if _status(answer) is OCSPCertStatus.GOOD else None


def _status(answer: FastResponse) -> OCSPCertStatus | None:
    response = load_der_ocsp_response(answer.content or b"")
    successful = response.response_status is OCSPResponseStatus.SUCCESSFUL
    return response.certificate_status if successful else None


class Ocsp(Scenario):
    """Few certificates are asked about often and many seldom; some questions are about none that there is.

    The shares are assumptions: RFC 9919 §6 has clients use GET where the request fits into an address, as these do, and
    some libraries POST all the same."""

    scenario = "ocsp"
    posted: ClassVar[float] = 0.2
    never_issued: ClassVar[float] = 0.02

    @task
    def ask(self) -> None:
        if random.random() < self.never_issued:
            self._ask("unknown", random.choice(self.prepared.unknown), not_good)
        else:
            self._ask("known", by_popularity(self.prepared.known), good)

    def _ask(self, kind: str, question: str, check: Check) -> None:
        if random.random() < self.posted:
            headers = {"Content-Type": "application/ocsp-request"}
            self.call(f"POST, {kind}", "POST", "/ocsp", data=b64decode(question), headers=headers, check=check)
        else:
            self.call(f"GET, {kind}", "GET", f"/ocsp/{quote(question, safe='')}", check=check)


def by_popularity(questions: Sequence[str]) -> str:
    """One of them, the n-th with a chance of about 1/n (Zipf's law): the logarithm of its rank is spread evenly."""
    return questions[int((len(questions) + 1) ** random.random()) - 1]
