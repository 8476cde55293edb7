"""The catalogues: fresh, whole, and with the same placeholders as the sources."""

from __future__ import annotations

import io
import re
from gettext import GNUTranslations
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from ca_core.domain.account import LANGUAGES

ROOT = Path(__file__).parents[2]
CATALOGUES = ROOT / "web" / "translations"
TRANSLATED = [one for one in LANGUAGES if one != "en"]
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


@pytest.fixture(scope="module")
def sources() -> set[str | tuple[str, ...]]:
    """Every message of the sources; a plural is a tuple."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    keywords = {**DEFAULT_KEYWORDS, "_l": None, "lazy_gettext": None}
    found: set[str | tuple[str, ...]] = set()
    for folder in ("admin", "portal", "web"):
        patterns = [(pattern.removeprefix(f"{folder}/"), method) for pattern, method in methods]
        chosen = {pattern.removeprefix(f"{folder}/"): option for pattern, option in options.items()}
        found |= {one[2] for one in extract_from_dir(ROOT / folder, patterns, chosen, keywords)}
    assert len(found) > 400
    return found


def catalogue(language: str) -> Catalog:
    with (CATALOGUES / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def texts(message: str | tuple[str, ...]) -> list[str]:
    return [message] if isinstance(message, str) else list(message)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_of_the_sources_is_translated_and_no_other(
    language: str, sources: set[str | tuple[str, ...]]
) -> None:
    found = {one.id: one for one in catalogue(language) if one.id}
    assert sources - found.keys() == set(), "run the commands in babel.cfg and translate these"
    assert found.keys() - sources == set(), "no page says these any more"
    assert [one.id for one in found.values() if not all(texts(one.string)) or one.fuzzy] == []


def test_templates_translate_only_what_they_say_themselves() -> None:
    """Given a sentence from elsewhere, ``_`` would put its markup into the page unescaped; that is for ``said``."""
    found = [
        f"{file.name}: {call}"
        for folder in ("admin", "portal", "web")
        for file in (ROOT / folder / "templates").rglob("*.html")
        for call in re.findall(r"\b(?:_|gettext|ngettext)\((?!['\"]).{0,30}", file.read_text())
    ]
    assert found == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_keep_their_placeholders(language: str) -> None:
    plurals = catalogue(language).num_plurals
    for message in catalogue(language):
        if not message.id:
            continue
        wanted = set(PLACEHOLDER.findall(texts(message.id)[-1]))
        forms = texts(message.string)
        assert len(forms) == (plurals if message.pluralizable else 1), message.id
        for number, form in enumerate(forms):
            # Arabic has words of its own for none, one and two things.
            spared = {"num"} if message.pluralizable and language == "ar" and number < 3 else set()
            assert set(PLACEHOLDER.findall(form)) | spared == wanted | spared, form


@pytest.mark.parametrize("language", TRANSLATED)
def test_what_the_program_reads_is_what_the_catalogue_says(language: str) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language))
    stored = (CATALOGUES / language / "LC_MESSAGES" / "messages.mo").read_bytes()
    assert stored == compiled.getvalue(), "run: pybabel compile -d web/translations"


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("ru", 1, "1 страница"),
        ("ru", 2, "2 страницы"),
        ("ru", 5, "5 страниц"),
        ("ru", 11, "11 страниц"),
        ("ru", 21, "21 страница"),
        ("ar", 1, "صفحة واحدة"),
        ("ar", 2, "صفحتان"),
        ("ar", 3, "3 صفحات"),
        ("ar", 11, "11 صفحة"),
        ("ar", 100, "100 صفحة"),
    ],
)
def test_numbers_agree_with_their_nouns(language: str, count: int, said: str) -> None:
    with (CATALOGUES / language / "LC_MESSAGES" / "messages.mo").open("rb") as file:
        translations = GNUTranslations(file)
    assert translations.ngettext("%(num)s page", "%(num)s pages", count) % {"num": count} == said
