"""What the services need from the outside: storage, keys, packs, documents, mail. Small Protocols, one per need.

Adapters live in ``ca_core.storage``, ``keys``, ``packs``, ``documents``, ``mail``; ``pechatnik.bootstrap`` joins them.
Import them from here; the modules below only keep what belongs together.
"""

from ca_core.services.ports.accounts import AccountChanges, Accounts, LogIns, PasswordHasher
from ca_core.services.ports.applications import Applications
from ca_core.services.ports.audit import AuditTrail, LastSeal
from ca_core.services.ports.certificates import Authorities, Certificates, ChangedEntry, StatusAnswers
from ca_core.services.ports.documents import (
    DocumentInspector,
    Documents,
    Inspection,
    MalwareScanner,
    ObjectStore,
    PageRenderer,
    StoredObject,
)
from ca_core.services.ports.imports import Imports
from ca_core.services.ports.keys import KeyStore, Signer, SymmetricKeys
from ca_core.services.ports.mass_revocations import MassRevocations
from ca_core.services.ports.packs import Calendar, Profiles, WorkingTime
from ca_core.services.ports.plugins import CheckOutcome, EventHandler, EvidenceCheck
from ca_core.services.ports.rows import AllRows, Page, Rows
from ca_core.services.ports.timestamps import Timestamps
from ca_core.services.ports.transactions import Clock, Transaction, Transactions
from ca_core.services.ports.validation import PathJudge
from ca_core.services.ports.work import JobQueue, Mailer

__all__ = [
    "AccountChanges",
    "Accounts",
    "AllRows",
    "Applications",
    "AuditTrail",
    "Authorities",
    "Calendar",
    "Certificates",
    "ChangedEntry",
    "CheckOutcome",
    "Clock",
    "DocumentInspector",
    "Documents",
    "EventHandler",
    "EvidenceCheck",
    "Imports",
    "Inspection",
    "JobQueue",
    "KeyStore",
    "LastSeal",
    "LogIns",
    "Mailer",
    "MalwareScanner",
    "MassRevocations",
    "ObjectStore",
    "Page",
    "PageRenderer",
    "PasswordHasher",
    "PathJudge",
    "Profiles",
    "Rows",
    "Signer",
    "StatusAnswers",
    "StoredObject",
    "SymmetricKeys",
    "Timestamps",
    "Transaction",
    "Transactions",
    "WorkingTime",
]
