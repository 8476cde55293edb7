"""The texts of notices: one TOML file for each language, the same kinds and placeholders in all of them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Self

from ca_core.domain.account import LANGUAGES
from ca_core.domain.errors import ConfigurationError, IntegrityAlarm

ALWAYS = frozenset({"name", "installation"})
"""Placeholders that every text may use: whom it is for, and who writes."""
FALLBACK = "en"
RIGHT_TO_LEFT = frozenset({"ar"})
FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
"""Around what is put into such a text (Unicode Standard Annex 9 §2.4)."""
_PLACEHOLDER = re.compile(r"\$([a-z]+)")
_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, kw_only=True)
class NoticeText:
    """Subject and body of one kind in one language."""

    subject: str
    text: str

    @property
    def placeholders(self) -> frozenset[str]:
        return frozenset(_PLACEHOLDER.findall(self.subject + self.text)) - ALWAYS


@dataclass(frozen=True, kw_only=True)
class Language:
    """The texts of one language, and the letter around each."""

    letter: str
    texts: Mapping[str, NoticeText]


@dataclass(frozen=True)
class NoticeTexts:
    """All texts."""

    languages: Mapping[str, Language]

    @classmethod
    def shipped(cls) -> Self:
        """Read the files beside this module; ConfigurationError when languages do not have the same kinds."""
        texts = cls({language: _read(language) for language in LANGUAGES})
        if any(language.texts.keys() != texts.kinds for language in texts.languages.values()):
            raise ConfigurationError("the languages do not have texts for the same kinds of notices")
        return texts

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(self.languages[FALLBACK].texts)

    def placeholders(self, kind: str) -> frozenset[str]:
        """What any of the languages asks for beside :data:`ALWAYS`. IntegrityAlarm when there is no such kind."""
        if kind not in self.kinds:
            raise IntegrityAlarm(f"there is no notice {kind!r}")
        return frozenset[str]().union(*(language.texts[kind].placeholders for language in self.languages.values()))

    def render(self, kind: str, language: str, values: Mapping[str, str]) -> tuple[str, str]:
        """Subject and letter; English where the language is not there. IntegrityAlarm when a value is missing."""
        chosen = self.languages.get(language, self.languages[FALLBACK])
        if missing := (self.placeholders(kind) | ALWAYS) - values.keys():
            raise IntegrityAlarm(f"the notice {kind!r} lacks {', '.join(sorted(missing))}")
        if language in RIGHT_TO_LEFT:
            # A number like 2026-000042 would otherwise read from the wrong end. Links are copied, so nothing is added.
            values = {
                name: f"{FIRST_STRONG_ISOLATE}{one}{POP_ISOLATE}" if one and name != "link" else one
                for name, one in values.items()
            }
        subject = Template(chosen.texts[kind].subject).substitute(values)
        text = Template(chosen.texts[kind].text).substitute(values)
        letter = Template(chosen.letter).substitute(values, text=text.strip())
        return " ".join(subject.split()), _BLANK_LINES.sub("\n\n", letter).strip() + "\n"


def _read(language: str) -> Language:
    content = tomllib.loads(files(__package__).joinpath(f"{language}.toml").read_text(encoding="utf-8"))
    letter = content.pop("letter")
    return Language(letter=letter, texts={kind: NoticeText(**fields) for kind, fields in content.items()})
