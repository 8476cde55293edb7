"""A page of a PDF as a picture, drawn inside the sandbox."""

from __future__ import annotations

import math

import pypdfium2  # type: ignore[import-untyped]

from ca_core.documents.image import png
from ca_core.documents.limits import UploadLimits
from ca_core.documents.refusals import Found, Refusal

_POINTS_PER_INCH = 72


_ROUGH = 10 / _POINTS_PER_INCH
"""Ten dots an inch: whether a page can be drawn shows at any size."""


def draw(data: bytes, limits: UploadLimits, *, pages: int) -> tuple[dict[str, object], bytes]:
    """Draw every page roughly and keep none: a document that cannot be shown to a reviewer is refused at the door."""
    try:
        document = pypdfium2.PdfDocument(data)
        document.init_forms()
        if len(document) != pages:
            raise Found(Refusal.DAMAGED)
        for sheet in document:
            sheet.render(scale=_ROUGH)
            sheet.close()
    except pypdfium2.PdfiumError:
        raise Found(Refusal.DAMAGED) from None
    return {}, b""


def render(
    data: bytes, limits: UploadLimits, *, page: int, dpi: int, max_pixels: int
) -> tuple[dict[str, object], bytes]:
    """The page (from 1) at ``dpi``, or less where it would have more than ``max_pixels``."""
    try:
        document = pypdfium2.PdfDocument(data)
        document.init_forms()  # or what was typed into form fields would not be drawn
        if not 1 <= page <= len(document):
            raise Found(Refusal.NO_PAGE)
        sheet = document[page - 1]
    except pypdfium2.PdfiumError:
        raise Found(Refusal.DAMAGED) from None
    width, height = sheet.get_size()
    scale = dpi / _POINTS_PER_INCH
    if (area := width * height * scale * scale) > max_pixels:
        scale *= math.sqrt(max_pixels / area)
    return {}, png(sheet.render(scale=scale).to_pil())
