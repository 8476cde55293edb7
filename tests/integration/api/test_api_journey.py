"""The whole journey through the API alone."""

from __future__ import annotations

import io
from typing import Any


def test_the_journey_through_the_api_alone(house: Any, by: Any) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding

    subscriber, operator, reviewer = by("subscriber"), by("operator"), by("reviewer")
    body = {"profile": "private/code-signing", "subject": {"C": "XX", "O": "E", "CN": "E"}, "centre": str(house.centre)}
    made = subscriber("POST", "/applications", json=body)
    assert made.status_code == 201
    path = f"/applications/{made.json['id']}"

    def version() -> int:
        shown = subscriber("GET", path)
        assert shown.headers["ETag"] == f'"{shown.json["version"]}"'
        return int(shown.json["version"])

    def attach(kind: str, shade: int = 255) -> Any:
        from PIL import Image

        out = io.BytesIO()
        Image.new("RGB", (60, 60), (shade, 255, 255)).save(out, "PNG")
        data = {"kind": kind, "file": (io.BytesIO(out.getvalue()), "paper.png")}
        return subscriber("POST", f"{path}/documents", data=data, content_type="multipart/form-data")

    assert attach("organisation-letter").status_code == 201
    assert attach("request-form").status_code == 201
    assert subscriber("POST", f"{path}/submit", version=version()).json["state"] == "submitted"
    assert [one["id"] for one in operator("GET", "/queue").json["items"]] == [made.json["id"]]

    def decide(who: Any, refuse: str | None = None) -> Any:
        assert who("POST", f"{path}/claim").status_code == 200
        for document in who("GET", f"{path}/snapshot").json["documents"]:
            for page in range(1, document["pages"] + 1):
                assert who("GET", f"/documents/{document['id']}/pages/{page}").mimetype == "image/png"
            if document["kind"] == refuse:
                reason = {"reason": "unreadable", "note": "too dark"}
                refused = who("POST", f"/documents/{document['id']}/refuse", version=document["version"], json=reason)
                assert refused.json["state"] == "refused"
            elif document["state"] == "pending":
                who("POST", f"/documents/{document['id']}/accept", version=document["version"])
        snapshot = who("GET", f"{path}/snapshot").json
        if refuse:
            return who("POST", f"{path}/return", version=snapshot["application"]["version"], json={"note": ""})
        digest = {"digest": snapshot["digest"]}
        return who("POST", f"{path}/approve", version=snapshot["application"]["version"], json=digest)

    assert decide(operator, refuse="request-form").json["state"] == "returned"
    assert attach("request-form", shade=200).status_code == 201
    assert subscriber("POST", f"{path}/submit", version=version()).json["round"] == 2
    assert decide(operator).json["state"] == "approved-first"
    assert decide(reviewer).json["state"] == "awaiting-key"
    key = ec.generate_private_key(ec.SECP256R1())
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    request = {"request": csr.public_bytes(Encoding.PEM).decode()}
    assert subscriber("PUT", f"{path}/request", version=version(), json=request).status_code == 200
    issued = subscriber("POST", f"{path}/issue", version=version())
    assert issued.json["state"] == "issued"
    assert subscriber("POST", f"{path}/issue", version=version()).json["serial"] == issued.json["serial"]
    certificate = f"/certificates/{issued.json['id']}"
    chain = x509.load_pem_x509_certificates(subscriber("GET", f"{certificate}/chain").data)
    assert len(chain) == 3
    code = subscriber("POST", f"{path}/accept", version=version()).json["report_code"]
    assert by(None)("POST", "/loss-reports", json={"code": code}).status_code == 204
    assert subscriber("GET", certificate).json["state"] == "held"
    current = operator("GET", certificate).json
    unhold = operator("POST", f"{certificate}/unhold", version=current["version"], json={"because": "it was found"})
    assert unhold.json["state"] == "issued"
    started = subscriber("POST", f"{certificate}/replace", json={"circumstance": "compromised"})
    assert started.status_code == 201
    assert subscriber("GET", certificate).json["reason"] == "keyCompromise"
    assert by("officer")("POST", "/crls", json={"authority": "issuing"}).json["items"][0]["entries"] == 1
