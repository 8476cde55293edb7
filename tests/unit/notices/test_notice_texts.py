"""Every notice in every language, with every value in its place."""

from __future__ import annotations

import pytest

from ca_core.domain.account import LANGUAGES
from ca_core.domain.errors import IntegrityAlarm
from ca_core.services.notice_texts import ALWAYS, NoticeTexts

TEXTS = NoticeTexts.shipped()
KINDS = (
    "access-reset",
    "address-changed",
    "application-approved",
    "application-changed",
    "application-expired",
    "application-reconsidered",
    "application-rejected",
    "application-returned",
    "application-submitted",
    "application-withdrawn",
    "certificate-held",
    "certificate-issued",
    "certificate-revoked",
    "certificate-unheld",
    "confirm-address",
    "deadline-half",
    "deadline-overdue",
    "deadline-quarter",
    "password-changed",
    "register-again",
    "replacement-started",
    "request-received",
    "tokens-revoked",
)


def values(kind: str) -> dict[str, str]:
    return {name: f"<{name}>" for name in TEXTS.placeholders(kind) | ALWAYS}


def test_these_are_all_the_kinds_there_are() -> None:
    assert sorted(TEXTS.kinds) == sorted(KINDS)


def test_every_language_of_an_account_has_its_texts() -> None:
    assert set(TEXTS.languages) == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_notice_renders_with_every_value_in_its_place(kind: str, language: str) -> None:
    subject, letter = TEXTS.render(kind, language, values(kind))
    assert subject
    assert "\n" not in subject
    assert "$" not in subject + letter
    for value in values(kind).values():
        assert value in subject + letter


@pytest.mark.parametrize("kind", KINDS)
def test_all_languages_of_a_kind_ask_for_the_same(kind: str) -> None:
    asked = {language: TEXTS.languages[language].texts[kind].placeholders for language in LANGUAGES}
    assert len(set(asked.values())) == 1, asked


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_value_is_an_alarm_not_a_gap(kind: str) -> None:
    for name in values(kind):
        with pytest.raises(IntegrityAlarm, match=name):
            TEXTS.render(kind, "en", {key: value for key, value in values(kind).items() if key != name})


def test_a_language_that_is_not_there_reads_as_english() -> None:
    kind = "application-approved"
    assert TEXTS.render(kind, "xx", values(kind)) == TEXTS.render(kind, "en", values(kind))


def test_a_kind_that_is_not_there_is_an_alarm() -> None:
    with pytest.raises(IntegrityAlarm):
        TEXTS.placeholders("application-lost")


def test_an_empty_note_leaves_no_hole_in_the_letter() -> None:
    _, letter = TEXTS.render("application-returned", "en", {**values("application-returned"), "note": ""})
    assert "\n\n\n" not in letter


def test_dollar_signs_in_a_value_stay_what_they_are() -> None:
    _, letter = TEXTS.render(
        "application-returned", "en", {**values("application-returned"), "note": "$name ${text} $$"}
    )
    assert "$name ${text} $$" in letter


def test_numbers_keep_their_order_among_arabic_words_and_links_stay_bare() -> None:
    subject, letter = TEXTS.render("application-approved", "ar", {**values("application-approved"), "number": "2026-7"})
    assert "\u20682026-7\u2069" in subject
    assert "\u20682026-7\u2069" in letter
    assert "\u2068" not in TEXTS.render("application-approved", "ru", values("application-approved"))[1]
    assert "\n<link>\n" in TEXTS.render("confirm-address", "ar", values("confirm-address"))[1]
    _, letter = TEXTS.render("application-returned", "ar", {**values("application-returned"), "note": ""})
    assert "\u2068\u2069" not in letter
