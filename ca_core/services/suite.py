"""All use cases of the core in one frozen bundle: what every face is given."""

from __future__ import annotations

from dataclasses import dataclass

from ca_core.services.acceptance import Acceptance
from ca_core.services.accounts import Accounts
from ca_core.services.addresses import Addresses
from ca_core.services.audit import Audit
from ca_core.services.authorities import AuthorityOffice
from ca_core.services.authority_import import AuthorityImport
from ca_core.services.batch import Batch
from ca_core.services.certificate_import import CertificateImport
from ca_core.services.certificates import CertificateDesk
from ca_core.services.deadlines import DeadlineWatch
from ca_core.services.documents import DocumentDesk
from ca_core.services.idempotency import Idempotency
from ca_core.services.intake import Intake
from ca_core.services.issuance import Issuance
from ca_core.services.jobs import JobDesk
from ca_core.services.journeys import Journeys
from ca_core.services.mass_revocation import MassRevocationOffice
from ca_core.services.notices import Notices
from ca_core.services.path_validation import PathValidation
from ca_core.services.ports import Profiles
from ca_core.services.reconciliation import Reconciliation
from ca_core.services.replacement import Replacement
from ca_core.services.request_desk import RequestDesk
from ca_core.services.retention import Retention
from ca_core.services.review import Review
from ca_core.services.revocation import Revocation
from ca_core.services.sessions import Sessions
from ca_core.services.time_stamping_units import TimeStampingUnits
from ca_core.services.timestamp_archive import TimestampArchive
from ca_core.services.timestamping import Timestamping
from ca_core.services.tokens import Tokens
from ca_core.services.verification import Recheck


@dataclass(frozen=True, kw_only=True)
class Services:
    """One service layer, four faces."""

    acceptance: Acceptance
    accounts: Accounts
    addresses: Addresses
    audit: Audit
    authorities: AuthorityOffice
    authority_import: AuthorityImport
    batch: Batch
    certificate_import: CertificateImport
    certificates: CertificateDesk
    deadlines: DeadlineWatch
    documents: DocumentDesk
    idempotency: Idempotency
    intake: Intake
    issuance: Issuance
    jobs: JobDesk
    journeys: Journeys
    mass_revocations: MassRevocationOffice
    notices: Notices
    path_validation: PathValidation
    profiles: Profiles
    recheck: Recheck
    reconciliation: Reconciliation
    replacement: Replacement
    requests: RequestDesk
    retention: Retention
    review: Review
    revocation: Revocation
    sessions: Sessions
    time_stamping_units: TimeStampingUnits
    timestamp_archive: TimestampArchive
    timestamping: Timestamping
    tokens: Tokens
