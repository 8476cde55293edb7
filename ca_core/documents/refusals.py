"""Why an upload is refused: the codes that the sandbox reports and the sentences people read.

The child process that parses hostile bytes may end up under an attacker's control, so it answers with a code of
this list and never with text of its own.
"""

from __future__ import annotations

from enum import StrEnum

from ca_core.documents.limits import UploadLimits
from ca_core.domain.errors import DocumentRejected


class Refusal(StrEnum):
    EMPTY = "empty"
    TOO_LARGE = "too-large"
    TYPE = "type"
    EXTENSION = "extension"
    DAMAGED = "damaged"
    TOO_HEAVY = "too-heavy"
    POLYGLOT = "polyglot"
    ENCRYPTED = "encrypted"
    SCRIPT = "script"
    ACTION = "action"
    EMBEDDED = "embedded"
    XFA = "xfa"
    EXTERNAL = "external"
    NO_PAGE = "no-page"
    PAGES = "pages"
    PIXELS = "pixels"
    EXPANSION = "expansion"


class Found(Exception):
    """Raised inside the sandbox by the check that refuses; the parent turns it into DocumentRejected."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


_SENTENCES = {
    Refusal.EMPTY: "the file is empty; choose it again and send it once more",
    Refusal.TOO_LARGE: "the file is larger than {size} MiB; scan it with less resolution or send it in parts",
    Refusal.TYPE: "the file is not a PDF, JPEG, PNG or TIFF; save it as one of these and send it again",
    Refusal.EXTENSION: "the name of the file does not end as its content asks; give it the ending {endings}",
    Refusal.DAMAGED: "the file is damaged or incomplete; open it, save or print it as a new PDF and send that",
    Refusal.TOO_HEAVY: "the file takes too much time or memory to check; print it as a new, plain PDF and send that",
    Refusal.POLYGLOT: "the file contains other data beside the document; print it as a new PDF or take a new picture",
    Refusal.ENCRYPTED: "the PDF is protected by a password or by permissions; save it without protection",
    Refusal.SCRIPT: "the PDF contains JavaScript; print it as a new, plain PDF and send that",
    Refusal.ACTION: "the PDF starts programs, sends forms or plays media; print it as a new, plain PDF and send that",
    Refusal.EMBEDDED: "the PDF carries other files inside; send each of them as a document of its own",
    Refusal.XFA: "the PDF is an XFA form; fill it in, print it as a new, plain PDF and send that",
    Refusal.EXTERNAL: "the PDF refers to data outside of itself; print it as a new, plain PDF and send that",
    Refusal.NO_PAGE: "the document has no such page; reload and choose one that it has",
    Refusal.PAGES: "the document has more than {pages} pages; send it in parts",
    Refusal.PIXELS: "a picture has more than {pixels} million pixels or no sensible size; scan it with less resolution",
    Refusal.EXPANSION: "the PDF unpacks to more data than is accepted; print it as a new, plain PDF and send that",
}


def rejection(refusal: Refusal, limits: UploadLimits, *, endings: str = "") -> DocumentRejected:
    """The error for a refusal; ``endings`` names the file name endings that would have been right."""
    sentence = _SENTENCES[refusal].format(
        size=limits.max_size >> 20,
        pages=limits.max_pages,
        pixels=limits.max_pixels // 1_000_000,
        endings=endings,
    )
    return DocumentRejected(sentence, fields={"file": sentence})
