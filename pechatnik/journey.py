"""The main job, walked on real components: from application to certificate, to a lost token, to reissue.

Everything an applicant does happens outside the authority here too: the key is made by ``cryptography`` on "the
applicant's side", and only the certification request crosses over.
"""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from PIL import Image, ImageDraw

from ca_core.domain.access import Actor
from ca_core.domain.application import Application
from ca_core.domain.certificate import Certificate, RevocationReason
from ca_core.domain.errors import IntegrityAlarm
from ca_core.domain.path_validation import Question
from ca_core.services.new_application import NewApplication
from ca_core.services.replacement_reason import Circumstance
from pechatnik.program import Program

PROFILE = "ru-63fz/legal-person"
SUBJECT = {
    "ST": "77 г. Москва",
    "L": "Москва",
    "STREET": "ул. Примерная, д. 1",
    "O": "ООО «Образец»",
    "title": "Генеральный директор",
    "CN": "ООО «Образец»",
    "SN": "Образцова",
    "givenName": "Анна Петровна",
    "OGRN": "1027700132195",
    "SNILS": "11223344595",
    "INNLE": "7707083893",
    "INN": "500100732259",
}
"""An invented company; the numbers have right check digits."""


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Who takes part."""

    subscriber: Actor
    operator: Actor
    reviewer: Actor
    centre: UUID


Step = tuple[str, str]
"""What happened, and how it went."""


class Journey:
    """The steps, each yielded as (what happens, how it went) once it is done."""

    def __init__(self, program: Program, cast: Cast) -> None:
        self._program = program
        self._services = program.services
        self._cast = cast

    def walk(self) -> Iterator[Step]:
        """Walk the whole way. A step that does not end as it must raises."""
        application = yield from self._apply()
        application = yield from self._review(application)
        certificate = yield from self._issue(application)
        yield from self._status(certificate)
        yield from self._replace(certificate)
        yield from self._check_records()

    def _apply(self) -> Generator[Step, None, Application]:
        subscriber, intake = self._cast.subscriber, self._services.intake
        new = NewApplication(profile=PROFILE, subject=SUBJECT, identification="personal", centre=self._cast.centre)
        application = intake.create(subscriber, new)
        yield "The subscriber applies", f"application {application.number}, profile {PROFILE}"
        view = intake.get(subscriber, application.id)
        for requirement in view.requirements:
            if requirement.required and requirement.waived_by is None:
                self._services.documents.attach(
                    subscriber,
                    application.id,
                    kind=requirement.kind,
                    filename=f"{requirement.kind}.pdf",
                    data=specimen(requirement.kind, "PDF"),
                )
        view = intake.get(subscriber, application.id)
        yield "uploads the documents", f"{len(view.documents)} documents, checked, sealed and stored"
        application = intake.submit(subscriber, application.id, version=view.application.version)
        assert application.due_at is not None
        yield "and submits", f"decision due {application.due_at:%a %d %b %Y %H:%M %Z}"
        return application

    def _review(self, application: Application) -> Generator[Step, None, Application]:
        review, operator = self._services.review, self._cast.operator
        review.claim(operator, application.id)
        snapshot = review.snapshot(operator, application.id)
        for document in snapshot.documents:
            for page in range(1, document.pages + 1):
                self._services.documents.page(operator, document.id, page)
        refused = next(document for document in snapshot.documents if document.kind == "passport")
        reason = next(iter(self._services.profiles.pack(PROFILE.partition("/")[0]).refusal_reasons))
        for document in snapshot.documents:
            if document.id == refused.id:
                review.refuse_document(operator, document.id, version=document.version, reason=reason)
            else:
                review.accept_document(operator, document.id, version=document.version)
        current = review.snapshot(operator, application.id).application
        review.return_for_correction(operator, application.id, version=current.version)
        yield "The operator refuses one document", f"passport: {reason}; the clock pauses"
        self._services.documents.attach(
            self._cast.subscriber,
            application.id,
            kind="passport",
            filename="passport.png",
            data=specimen("passport, sharper", "PNG"),
        )
        current = self._services.intake.get(self._cast.subscriber, application.id).application
        self._services.intake.submit(self._cast.subscriber, application.id, version=current.version)
        yield "The subscriber sends that one again", "the clock goes on"
        application = self._approve(operator, application.id)
        yield "The operator approves", f"bound to the digest of what was shown; now {application.state.value}"
        application = self._approve(self._cast.reviewer, application.id)
        yield "A second person approves", f"now {application.state.value}"
        return application

    def _approve(self, who: Actor, application: UUID) -> Application:
        review = self._services.review
        review.claim(who, application)
        for document in review.snapshot(who, application).documents:
            for page in range(1, document.pages + 1):
                self._services.documents.page(who, document.id, page)
            if document.state.value == "pending":
                review.accept_document(who, document.id, version=document.version)
        snapshot = review.snapshot(who, application)
        return review.approve(who, application, version=snapshot.application.version, digest=snapshot.digest)

    def _issue(self, application: Application) -> Generator[Step, None, Certificate]:
        subscriber = self._cast.subscriber
        request = certification_request()
        current = self._services.intake.get(subscriber, application.id).application
        self._services.requests.receive(subscriber, application.id, request, version=current.version)
        yield "The key is made on the applicant's side", "only the request, signed by it, comes in"
        certificate = self._services.issuance.issue(subscriber, application.id)
        verdict = self._services.path_validation.validate(subscriber, Question(certificate=self._der(certificate)))
        _must(verdict.valid, "the new certificate does not verify")
        yield "The certificate is issued", f"serial {certificate.serial}, linted, verified against the chain"
        current = self._services.intake.get(subscriber, application.id).application
        self._services.acceptance.accept(subscriber, application.id, version=current.version)
        return certificate

    def _status(self, certificate: Certificate) -> Iterator[Step]:
        _must(self._ocsp(certificate) == ("good", None), "OCSP does not say good")
        yield "OCSP says", "good"
        operator = self._cast.operator
        self._services.revocation.hold(operator, certificate.id, because="the subscriber called")
        _must(self._ocsp(certificate) == ("revoked", "certificateHold"), "OCSP does not say certificateHold")
        yield "A hold", "OCSP says revoked (certificateHold) with the next answer"
        self._services.revocation.unhold(operator, certificate.id, because="the subscriber found the token")
        _must(self._ocsp(certificate) == ("good", None), "OCSP does not say good again")
        yield "lifted", "OCSP says good"

    def _replace(self, certificate: Certificate) -> Iterator[Step]:
        subscriber = self._cast.subscriber
        started = self._services.replacement.report(subscriber, certificate.id, circumstance=Circumstance.LOST)
        _must(self._ocsp(certificate) == ("revoked", "certificateHold"), "the lost token is not on hold")
        yield "The token is lost", f"held at once; application {started.number} for a new one"
        view = self._services.intake.get(subscriber, started.id)
        carried = len([document for document in view.documents if document.counts])
        for requirement in view.requirements:
            if requirement.required and requirement.waived_by is None and requirement.document is None:
                self._services.documents.attach(
                    subscriber,
                    started.id,
                    kind=requirement.kind,
                    filename=f"{requirement.kind}.pdf",
                    data=specimen(requirement.kind, "PDF"),
                )
        current = self._services.intake.get(subscriber, started.id).application
        self._services.intake.submit(subscriber, started.id, version=current.version)
        self._approve(self._cast.operator, started.id)
        self._approve(self._cast.reviewer, started.id)
        yield "Identity is confirmed again", f"{carried} documents on file still count; two approvals"
        current = self._services.intake.get(subscriber, started.id).application
        self._services.requests.receive(subscriber, started.id, certification_request(), version=current.version)
        new = self._services.issuance.issue(subscriber, started.id)
        old = self._services.certificates.get(subscriber, certificate.id)
        _must(old.reason is RevocationReason.SUPERSEDED, "the old certificate is not revoked as superseded")
        _must(self._ocsp(new) == ("good", None), "the new certificate is not good")
        yield "A new key, a new certificate", f"serial {new.serial}; the old one is revoked (superseded)"
        published = self._program.crls.issue(self._program.owner, "issuing")
        crl = x509.load_der_x509_crl(published[0].der)
        listed = crl.get_revoked_certificate_by_serial_number(certificate.serial.value) is not None
        _must(listed, "the CRL does not list the old certificate")
        yield "The CRL agrees", f"number {published[0].number}, {published[0].entries} entries"

    def _check_records(self) -> Iterator[Step]:
        self._services.audit.seal(self._program.owner)
        report = self._services.audit.verify(self._program.owner)
        _must(report.ok, f"the audit chain is broken: {report.reasons}")
        yield "The record of all this", f"{report.records} audit records, chained and sealed"

    def _der(self, certificate: Certificate) -> bytes:
        return self._services.certificates.export(self._cast.subscriber, certificate.id, "der")

    def _ocsp(self, certificate: Certificate) -> tuple[str, str | None]:
        """Ask as a relying party would: a DER request in, a DER response out."""
        chain = x509.load_pem_x509_certificates(
            self._services.certificates.export(self._cast.subscriber, certificate.id, "chain")
        )
        builder = ocsp.OCSPRequestBuilder().add_certificate(chain[0], chain[1], hashes.SHA256())
        body = self._program.ocsp.answer(builder.build().public_bytes(Encoding.DER)).body
        answer = ocsp.load_der_ocsp_response(body)
        _must(answer.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL, "the responder did not answer")
        reason = answer.revocation_reason
        return answer.certificate_status.name.lower(), reason.value if reason else None


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise IntegrityAlarm(f"the journey stopped: {otherwise}")


def certification_request() -> bytes:
    """A request as an applicant's own program makes it: a new P-256 key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "applicant")])
    return (
        x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    )


def specimen(title: str, form: str) -> bytes:
    """A page that says SPECIMEN, as PDF or PNG."""
    page = Image.new("RGB", (900, 1270), "white")
    draw = ImageDraw.Draw(page)
    draw.rectangle((40, 40, 860, 1230), outline="#8c2f39", width=4)
    draw.text((80, 80), "SPECIMEN", fill="#8c2f39", font_size=64)
    draw.text((80, 180), title, fill="black", font_size=36)
    out = io.BytesIO()
    page.save(out, form)
    return out.getvalue()
