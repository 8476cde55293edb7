"""All rows beside the record, both ways: what the record tells of is there and says so, and nothing else is."""

from __future__ import annotations

from collections.abc import Sequence

from ca_core.services.comparison.accounts import Accounts
from ca_core.services.comparison.applications import Applications
from ca_core.services.comparison.approvals import Approvals
from ca_core.services.comparison.authorities import Authorities
from ca_core.services.comparison.blocked_keys import BlockedKeys
from ca_core.services.comparison.by_object import Comparison
from ca_core.services.comparison.certificates import Certificates
from ca_core.services.comparison.check_results import CheckResults
from ca_core.services.comparison.crls import PublishedCrls
from ca_core.services.comparison.decided import Decided
from ca_core.services.comparison.documents import Documents
from ca_core.services.comparison.editors import Editors
from ca_core.services.comparison.grounds import Grounds
from ca_core.services.comparison.imports import Imports
from ca_core.services.comparison.mass_revocations import MassRevocations
from ca_core.services.comparison.notices import Notices
from ca_core.services.comparison.page_views import PageViews
from ca_core.services.comparison.timestamps import Timestamps


def comparisons() -> Sequence[Comparison]:
    """One for each kind of rows, new for each walk over the record."""
    return (
        Certificates(),
        Imports(),
        MassRevocations(),
        Grounds(),
        Authorities(),
        PublishedCrls(),
        BlockedKeys(),
        Applications(),
        Editors(),
        Approvals(),
        Decided(),
        CheckResults(),
        Documents(),
        PageViews(),
        Accounts(),
        Notices(),
        Timestamps(),
    )
