"""Registers that are asked about an applicant's data, each advisory or blocking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ca_core.domain.application import Application, CheckMode, CheckResult, CheckVerdict
from ca_core.domain.errors import ConfigurationError, Refused, TryAgain
from ca_core.domain.profile import Profile
from ca_core.services.ports import CheckOutcome, EvidenceCheck, Transaction


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one register said, before it belongs to a round of an application."""

    check: EvidenceCheck
    outcome: CheckOutcome

    def about(self, application: Application, tx: Transaction) -> CheckResult:
        """As it goes on record for the application's present round."""
        return CheckResult(
            id=tx.new_id(),
            application=application.id,
            round=application.round,
            name=self.check.name,
            mode=self.check.mode,
            verdict=self.outcome.verdict,
            detail=self.outcome.detail,
            at=tx.now,
            extra=self.outcome.extra or {},
        )


class RegisterChecks:
    """The checks that plugins bring, by name."""

    def __init__(self, checks: Sequence[EvidenceCheck]) -> None:
        self._checks = {check.name: check for check in checks}

    def ask(self, profile: Profile, subject: Mapping[str, str]) -> Sequence[Answer]:
        """Ask those that the profile names. They may go outside, so no transaction is open meanwhile.

        Refused when a blocking one says no, TryAgain when it says nothing; an advisory one that fails knows nothing."""
        return [_asked(self._checks[name], subject) for name in profile.checks]


def _asked(check: EvidenceCheck, subject: Mapping[str, str]) -> Answer:
    try:
        outcome = check.run(subject)
    except Exception as failure:  # a plugin's, and with it whatever is wrong outside
        if check.mode == CheckMode.BLOCKING:
            raise TryAgain(f"the check {check.name} cannot be made now; try again later") from failure
        detail = f"it could not be made ({type(failure).__name__})"
        outcome = CheckOutcome(verdict=CheckVerdict.UNKNOWN, detail=detail)
    if outcome.verdict not in set(CheckVerdict):
        # A misspelt refutation must not pass for none.
        raise ConfigurationError(f"the check {check.name} answers {outcome.verdict!r}, which is no verdict")
    if check.mode == CheckMode.BLOCKING and outcome.verdict == CheckVerdict.REFUTED:
        raise Refused(f"{check.name}: {outcome.detail}")
    return Answer(check=check, outcome=outcome)
