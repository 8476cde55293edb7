"""Which documents an application still needs: the profile's evidence table against checks and uploads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ca_core.domain.application import CheckResult, CheckVerdict
from ca_core.domain.document import Document, DocumentState
from ca_core.domain.profile import Profile


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One row of the evidence table, as it stands for one application."""

    kind: str
    label: Mapping[str, str]
    required: bool
    waived_by: str | None
    """The check that confirmed what the document would show; None when the document is asked for."""
    document: Document | None
    """The upload that counts now."""

    @property
    def missing(self) -> bool:
        """Whether something has to be sent: nothing was, or what was sent is refused."""
        if not self.required or self.waived_by is not None:
            return self.document is not None and self.document.state is DocumentState.REFUSED
        return self.document is None or self.document.state is DocumentState.REFUSED

    @property
    def satisfied(self) -> bool:
        """Whether a reviewer may approve as far as this document goes."""
        if self.document is None:
            return not self.required or self.waived_by is not None
        return self.document.state is DocumentState.ACCEPTED


def requirements(
    profile: Profile, documents: Iterable[Document], checks: Iterable[CheckResult]
) -> tuple[Requirement, ...]:
    """The evidence table of the profile, in its order."""
    latest = {document.kind: document for document in documents if document.counts}
    confirmed = {check.name for check in checks if check.verdict == CheckVerdict.CONFIRMED}
    return tuple(
        Requirement(
            kind=rule.kind,
            label=rule.label,
            required=rule.required,
            waived_by=next((name for name in rule.waived_by if name in confirmed), None),
            document=latest.get(rule.kind),
        )
        for rule in profile.evidence
    )
