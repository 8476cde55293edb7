"""The tables. A column has the name of the entity's field; a few more serve search and uniqueness."""

from ca_core.storage.tables.accounts import (
    account_changes,
    accounts,
    api_tokens,
    centres,
    log_in_failures,
    remembered_answers,
    web_sessions,
)
from ca_core.storage.tables.applications import (
    application_editors,
    applications,
    approvals,
    check_results,
    documents,
    page_views,
    snapshots,
)
from ca_core.storage.tables.certificates import (
    authorities,
    blocked_keys,
    certificate_grounds,
    certificates,
    crl_changes,
    imports,
    published_crls,
)
from ca_core.storage.tables.mass_revocations import mass_revocation_members, mass_revocations
from ca_core.storage.tables.metadata import metadata
from ca_core.storage.tables.records import audit_checkpoints, audit_records, counters, jobs, notices
from ca_core.storage.tables.timestamps import timestamps

__all__ = [
    "account_changes",
    "accounts",
    "api_tokens",
    "application_editors",
    "applications",
    "approvals",
    "audit_checkpoints",
    "audit_records",
    "authorities",
    "blocked_keys",
    "centres",
    "certificate_grounds",
    "certificates",
    "check_results",
    "counters",
    "crl_changes",
    "documents",
    "imports",
    "jobs",
    "log_in_failures",
    "mass_revocation_members",
    "mass_revocations",
    "metadata",
    "notices",
    "page_views",
    "published_crls",
    "remembered_answers",
    "snapshots",
    "timestamps",
    "web_sessions",
]
