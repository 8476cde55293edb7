"""Checks of a PDF, run inside the sandbox: that it is whole, and only pages (ISO 32000-2, clause numbers below)."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

import pikepdf
import pypdfium2  # type: ignore[import-untyped]
from pikepdf import Array, Dictionary, Encryption, Name, Object, Pdf, Stream, StreamDecodeLevel

from ca_core.documents.limits import UploadLimits
from ca_core.documents.refusals import Found, Refusal

_KEYS = {
    "/JS": Refusal.SCRIPT,  # 12.6.4.17
    "/JavaScript": Refusal.SCRIPT,  # name tree of scripts, 7.7.4
    "/XFA": Refusal.XFA,  # 12.7.8
    "/EF": Refusal.EMBEDDED,  # file specification with the file inside, 7.11.3
    "/EmbeddedFiles": Refusal.EMBEDDED,  # 7.7.4
    "/Collection": Refusal.EMBEDDED,  # portfolio, 12.3.5
}
_VALUES = {
    "/S": {  # kind of action, 12.6.4
        "/JavaScript": Refusal.SCRIPT,
        "/Launch": Refusal.ACTION,
        "/SubmitForm": Refusal.ACTION,
        "/ImportData": Refusal.ACTION,
        "/GoToR": Refusal.ACTION,
        "/GoToE": Refusal.ACTION,
        "/Rendition": Refusal.ACTION,
        "/Movie": Refusal.ACTION,
        "/Sound": Refusal.ACTION,
        "/RichMediaExecute": Refusal.ACTION,
    },
    "/Subtype": {  # kind of annotation, 12.5.6
        "/FileAttachment": Refusal.EMBEDDED,
        "/RichMedia": Refusal.ACTION,
        "/Screen": Refusal.ACTION,
        "/Movie": Refusal.ACTION,
        "/Sound": Refusal.ACTION,
        "/3D": Refusal.ACTION,
    },
    "/Type": {"/EmbeddedFile": Refusal.EMBEDDED},  # 7.11.4
}

# qpdf opens its source of random numbers when it first meets encryption, and keeps it. Inside the sandbox nothing can
# be opened any more, so that a protected PDF would look damaged.
Pdf.new().save(io.BytesIO(), encryption=Encryption(user="", owner=""))


def inspect(data: bytes, limits: UploadLimits) -> tuple[dict[str, object], bytes]:
    """Number of pages, or Found."""
    _check_frame(data)
    pikepdf.settings.set_qpdf_limits(
        flate_max_memory=limits.max_expanded,
        run_length_max_memory=limits.max_expanded,
        png_max_memory=limits.max_expanded,
        tiff_max_memory=limits.max_expanded,
        parser_max_nesting=100,
    )
    try:
        # Without recovery: of a damaged file, two readers may show two different documents.
        with pikepdf.open(io.BytesIO(data), attempt_recovery=False) as pdf:
            if pdf.is_encrypted:
                raise Found(Refusal.ENCRYPTED)
            pages = len(pdf.pages)
            if pages > limits.max_pages:
                raise Found(Refusal.PAGES)
            for holder in _holders(pdf):
                _check_holder(holder)
            _check_expansion(pdf, limits)
    except pikepdf.PasswordError:
        raise Found(Refusal.ENCRYPTED) from None
    except pikepdf.PdfError:
        raise Found(Refusal.DAMAGED) from None
    # Reviewers see what PDFium draws, so it has to find the same pages.
    if pages == 0 or len(pypdfium2.PdfDocument(data)) != pages:
        raise Found(Refusal.DAMAGED)
    return {"pages": pages}, b""


def _check_frame(data: bytes) -> None:
    """The header opens the file and the last end-of-file marker closes it (7.5.2, 7.5.5)."""
    end = data.rfind(b"%%EOF")
    if end < 0:
        raise Found(Refusal.DAMAGED)
    if data[end + 5 :].strip(b"\r\n\t\0 "):
        raise Found(Refusal.POLYGLOT)


def _holders(pdf: Pdf) -> Iterator[Dictionary | Stream]:
    """Every dictionary and stream of the file, also those that no page refers to."""
    waiting: list[object] = [pdf.trailer, *pdf.objects]
    while waiting:
        item = waiting.pop()
        children: Iterable[object]
        if isinstance(item, Dictionary | Stream):
            yield item
            children = (value for _, value in item.items())
        elif isinstance(item, Array):
            children = item
        else:
            continue
        # An indirect child has its own turn, which also breaks cycles.
        waiting += (child for child in children if isinstance(child, Object) and not child.is_indirect)


def _check_holder(holder: Dictionary | Stream) -> None:
    for key, value in holder.items():
        if refusal := _KEYS.get(key):
            raise Found(refusal)
        if (table := _VALUES.get(key)) and isinstance(value, Name) and (refusal := table.get(str(value))):
            raise Found(refusal)
    if isinstance(holder, Stream) and Name.F in holder:  # the stream's bytes lie in another file, 7.3.8.2
        raise Found(Refusal.EXTERNAL)


def _check_expansion(pdf: Pdf, limits: UploadLimits) -> None:
    left = limits.max_expanded
    for item in pdf.objects:
        if not isinstance(item, Stream):
            continue
        if item.get(Name.Subtype) == Name.Image and (
            int(item.get(Name.Width, 0)) * int(item.get(Name.Height, 0)) > limits.max_pixels
        ):
            raise Found(Refusal.PIXELS)
        left -= _expanded(item)
        if left < 0:
            raise Found(Refusal.EXPANSION)


def _expanded(stream: Stream) -> int:
    """Octets of the stream unpacked; 0 for pictures whose coding only the renderer can undo."""
    try:
        return len(stream.read_bytes(StreamDecodeLevel.specialized))
    except pikepdf.DataDecodingError as error:
        limited = "memory limit" in str(error)
        raise Found(Refusal.EXPANSION if limited else Refusal.DAMAGED) from None
    except pikepdf.PdfError:
        return 0
