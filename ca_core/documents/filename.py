"""The name of an upload, made safe to store, log and show."""

from __future__ import annotations

import re
import unicodedata

_MAX_CHARACTERS = 120
_MAX_EXTENSION = 10
_FALLBACK = "document"
# Shown or interpreted specially by shells, Windows and HTTP headers.
_SPECIAL = re.compile(r'["*:<>?|;`$&%\'{}]')


def safe_filename(name: str) -> str:
    """The last part of ``name`` without controls, bidirectional overrides, lone surrogates, unassigned and special
    characters, in NFC, at most 120 characters with its extension kept; ``document`` when nothing is left.

    Letters of every script stay: people recognise their files by name."""
    last = re.split(r"[/\\]", name)[-1]
    # Category C: control, format (bidi overrides, zero width), surrogate, private use, unassigned.
    visible = "".join(
        " " if unicodedata.category(character).startswith("Z") else character
        for character in last
        if not unicodedata.category(character).startswith("C")
    )
    plain = " ".join(_SPECIAL.sub("_", unicodedata.normalize("NFC", visible)).split()).rstrip(". ")
    stem, dot, extension = plain.rpartition(".")
    if not dot or len(extension) > _MAX_EXTENSION:
        stem, extension = plain, ""
    ending = f".{extension}" if extension else ""
    stem = stem.lstrip(". ")[: _MAX_CHARACTERS - len(ending)].rstrip(". ")
    return (stem or _FALLBACK) + ending


def extension(name: str) -> str:
    """Lower-case letters after the last dot of a safe name; empty when there is none."""
    return name.rpartition(".")[2].lower() if "." in name else ""
