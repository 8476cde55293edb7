"""Notices: told with the change, sent once, in the language of whoever reads them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.application import Application, ApplicationState
from ca_core.domain.errors import IntegrityAlarm
from ca_core.domain.work import JobState, NoticeState
from ca_core.services.notices import Notices, notify


def application(desk: Any, owner: Any, **changes: Any) -> Application:
    return Application(
        **{
            "id": UUID(int=1),
            "number": "2026-000042",
            "owner": owner.id,
            "centre": UUID(int=2),
            "profile": "private/tls-client",
            "profile_version": "1",
            "profile_digest": bytes(32),
            "approvals_required": 1,
            "subject": {},
            "state": ApplicationState.RETURNED,
            "note": "Страница 2 не читается",
            "state_since": desk.clock(),
            "created_at": desk.clock(),
            **changes,
        }
    )


def tell(desk: Any, account: Any, kind: str = "application-returned", **context: Any) -> None:
    context = context or {"application": application(desk, account)}
    with desk.transactions.begin(SYSTEM_ACTOR) as tx:
        notify(tx, account.id, kind, **context)


def test_a_notice_is_shown_at_once_and_sent_by_the_worker(desk: Any) -> None:
    anna = desk.person("anna", language="ru")
    tell(desk, anna)
    assert desk.notice(anna).state is NoticeState.QUEUED
    assert desk.notice(anna).context == {"number": "2026-000042", "note": "Страница 2 не читается"}
    assert desk.postbox.sent == []
    desk.work()
    (mail,) = desk.postbox.sent
    assert mail["to"] == "anna@example.org"
    assert mail["subject"] == "Заявление 2026-000042: нужны исправления"
    assert "Страница 2 не читается" in mail["text"]
    assert mail["text"].startswith("Здравствуйте, anna!")
    assert mail["message_id"] == str(desk.notice(anna).id)
    assert desk.notice(anna).state is NoticeState.SENT
    assert desk.notice(anna).sent_at == desk.clock()


@pytest.mark.parametrize(("language", "word"), [("en", "corrected"), ("ru", "исправить"), ("ar", "تصحيح")])
def test_it_is_written_in_the_language_of_the_account(desk: Any, language: str, word: str) -> None:
    tell(desk, desk.person("anna", language=language))
    desk.work()
    assert word in desk.postbox.sent[0]["text"]


def test_a_notice_of_a_change_that_did_not_happen_is_not_there(desk: Any) -> None:
    anna = desk.person("anna")
    with suppress(RuntimeError), desk.transactions.begin(SYSTEM_ACTOR) as tx:
        notify(tx, anna.id, "password-changed")
        raise RuntimeError
    assert desk.told(anna) == []
    assert desk.work() == 0


def test_a_relay_that_is_down_is_tried_again_and_the_mail_goes_once(desk: Any) -> None:
    anna = desk.person("anna")
    tell(desk, anna)
    desk.postbox.down = True
    desk.work()
    assert desk.notice(anna).state is NoticeState.QUEUED
    desk.postbox.down = False
    desk.pass_time(minutes=2)
    desk.work()
    assert len(desk.postbox.sent) == 1


def test_a_job_run_twice_sends_once(desk: Any) -> None:
    tell(desk, desk.person("anna"))
    desk.work()
    (job,) = desk.queued("notice")
    desk.notices.deliver(job)
    assert len(desk.postbox.sent) == 1


def test_after_a_crash_between_sending_and_marking_the_same_message_goes_again(desk: Any) -> None:
    class Dies:
        def __init__(self) -> None:
            self.ids: list[str] = []

        def send(self, *, message_id: str, **_: str) -> None:
            self.ids.append(message_id)
            if len(self.ids) == 1:
                raise KeyboardInterrupt

    mailer = Dies()
    desk.handlers["notice"] = Notices(desk.transactions, mailer=mailer, installation="P").deliver
    tell(desk, desk.person("anna"))
    with pytest.raises(KeyboardInterrupt):
        desk.work()
    desk.pass_time(minutes=2)
    desk.work()
    assert len(mailer.ids) == 2
    assert len(set(mailer.ids)) == 1


def test_without_a_relay_notices_stay_in_the_cabinet(desk: Any) -> None:
    anna = desk.person("anna")
    desk.handlers["notice"] = Notices(desk.transactions, mailer=None, installation="P").deliver
    tell(desk, anna)
    assert desk.work() == 1
    assert desk.told(anna) == ["application-returned"]
    assert desk.notice(anna).state is NoticeState.QUEUED
    assert {job.state for job in desk.queued("notice")} == {JobState.DONE}


def test_a_closed_account_gets_no_mail(desk: Any) -> None:
    anna = desk.person("anna")
    tell(desk, anna)
    desk.accounts.deactivate(SYSTEM_ACTOR, anna.id)
    desk.work()
    assert desk.postbox.sent == []


def test_everybody_sees_his_own_only_newest_first(desk: Any) -> None:
    anna, boris = desk.person("anna"), desk.person("boris")
    tell(desk, anna)
    desk.pass_time(seconds=1)
    tell(desk, anna, "application-approved")
    assert desk.told(anna) == ["application-approved", "application-returned"]
    assert desk.told(boris) == []


def test_a_deadline_is_told_with_its_moment(desk: Any) -> None:
    anna = desk.person("anna")
    due = desk.clock().replace(year=2026, month=3, day=5, hour=14, minute=7, second=0, microsecond=0)
    tell(desk, anna, "deadline-half", application=application(desk, anna, due_at=due))
    assert desk.notice(anna).context == {"number": "2026-000042", "due": "2026-03-05 14:07 UTC"}


@pytest.mark.parametrize(
    ("kind", "context"),
    [("certificate-held", {}), ("deadline-half", {"number": "1"}), ("no-such-kind", {"number": "1"})],
)
def test_a_notice_that_could_not_be_written_is_not_queued(desk: Any, kind: str, context: dict[str, str]) -> None:
    anna = desk.person("anna")
    with pytest.raises(IntegrityAlarm), desk.transactions.begin(SYSTEM_ACTOR) as tx:
        notify(tx, anna.id, kind, **context)
    assert desk.told(anna) == []
