"""Checks and drawing of JPEG, PNG and TIFF pictures, run inside the sandbox."""

from __future__ import annotations

import io
import math
import warnings
from typing import cast

from PIL import (
    Image,
    ImageOps,
    JpegImagePlugin,
    MpoImagePlugin,  # noqa: F401 - the JPEG plugin asks for it when a JPEG holds several pictures
    PngImagePlugin,
    TiffImagePlugin,
)

from ca_core.documents.limits import UploadLimits
from ca_core.documents.refusals import Found, Refusal

# Pillow loads its plugins when first asked; inside the sandbox nothing can be loaded any more.
Image.preinit()
_FORMATS = (
    JpegImagePlugin.JpegImageFile.format,
    PngImagePlugin.PngImageFile.format,
    TiffImagePlugin.TiffImageFile.format,
)
_PDF_HEADER_REACH = 1024
"""Readers look for ``%PDF-`` this far into a file (ISO 32000-1, annex H.3, note 13)."""


def inspect(data: bytes, limits: UploadLimits) -> tuple[dict[str, object], bytes]:
    """Number of pages (of a TIFF; else 1), every one decoded to the last pixel; or Found."""
    if b"%PDF-" in data[:_PDF_HEADER_REACH]:
        raise Found(Refusal.POLYGLOT)
    if data.startswith(b"\x89PNG"):
        _check_rest(data[_png_end(data) :])
    elif data.startswith(b"\xff\xd8"):
        _check_rest(data[_jpeg_end(data) :])
    picture = _open(data, limits)
    # Several pictures in a JPEG (MPO) or PNG (APNG) are variants of the first, which is what a reviewer sees.
    pages = getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
    if pages > limits.max_pages:
        raise Found(Refusal.PAGES)
    for frame in range(pages):
        _load(picture, frame, limits)
    return {"pages": pages}, b""


def render(
    data: bytes, limits: UploadLimits, *, page: int, dpi: int, max_pixels: int
) -> tuple[dict[str, object], bytes]:
    """The page (from 1) at its own resolution, or less where it has more than ``max_pixels``."""
    picture = _open(data, limits)
    pages = getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
    if not 1 <= page <= pages:
        raise Found(Refusal.NO_PAGE)
    _load(picture, page - 1, limits)
    if (area := picture.width * picture.height) > max_pixels:
        scale = math.sqrt(max_pixels / area)
        picture.thumbnail((max(1, int(picture.width * scale)), max(1, int(picture.height * scale))))
    return {}, png(ImageOps.exif_transpose(picture))


def png(picture: Image.Image) -> bytes:
    """The bare pixels as 8-bit RGB or grey: no metadata, no colour profile, transparency on white."""
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = _eight_bits(picture.convert("F"))
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        picture = Image.new("RGB", layer.size, "white")
        picture.paste(layer, mask=layer.getchannel("A"))
    clean = picture.convert("L" if picture.mode in ("1", "L") else "RGB")
    clean.info.clear()
    output = io.BytesIO()
    clean.save(output, "PNG", compress_level=1)
    return output.getvalue()


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Deep grey stretched to 0..255; Pillow's own conversion clips, which turns a 16-bit scan white."""
    low, high = cast(tuple[float, float], picture.getextrema())
    factor = 255 / ((high - low) or 1)
    return picture.point(lambda value: value * factor - low * factor).convert("L")


def _open(data: bytes, limits: UploadLimits) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = limits.max_pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        return Image.open(io.BytesIO(data), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Found(Refusal.PIXELS) from None


def _load(picture: Image.Image, frame: int, limits: UploadLimits) -> None:
    if frame:
        picture.seek(frame)
    if picture.width * picture.height > limits.max_pixels:
        raise Found(Refusal.PIXELS)
    picture.load()


def _check_rest(rest: bytes) -> None:
    """What may follow a picture: padding, or what cameras add, another JPEG (CIPA DC-007) or Samsung's trailer."""
    if rest.strip(b"\0\r\n\t ") and not rest.startswith(b"\xff\xd8\xff") and not rest.endswith(b"SEFT"):
        raise Found(Refusal.POLYGLOT)


def _png_end(data: bytes) -> int:
    """Offset behind the IEND chunk (ISO/IEC 15948 §5.3)."""
    at = 8
    while at + 12 <= len(data):
        kind = data[at + 4 : at + 8]
        at += 12 + int.from_bytes(data[at : at + 4], "big")
        if kind == b"IEND":
            return at
    raise Found(Refusal.DAMAGED)


def _jpeg_end(data: bytes) -> int:
    """Offset behind the EOI marker (ITU-T T.81, annex B)."""
    at = 2
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        marker = data[at + 1]
        if marker == 0xD9:
            return at + 2
        if marker == 0xFF:  # fill byte, B.1.1.2
            at += 1
        elif marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD8:  # stuffed byte or a marker without a segment
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise Found(Refusal.DAMAGED)
