"""What an upload is: type by content, a full parse in the sandbox, refusal of all that is no plain document."""

from __future__ import annotations

import io
import zipfile

from ca_core.documents.filename import extension, safe_filename
from ca_core.documents.limits import UploadLimits
from ca_core.documents.refusals import Refusal, rejection
from ca_core.documents.sandbox import Sandbox
from ca_core.services.ports import Inspection

_TYPES = (
    (b"%PDF-", "application/pdf"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
)
EXTENSIONS = {
    "application/pdf": ("pdf",),
    "image/jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "image/png": ("png",),
    "image/tiff": ("tif", "tiff"),
}
"""File name endings that agree with each accepted type."""


class Inspector:
    """Checks uploads at the door. Thread-safe; each inspection takes a process of its own."""

    def __init__(self, limits: UploadLimits | None = None, sandbox: Sandbox | None = None) -> None:
        self._limits = limits or UploadLimits()
        self._sandbox = sandbox or Sandbox()

    def inspect(self, data: bytes, *, filename: str) -> Inspection:
        """Type, safe name and number of pages; DocumentRejected says what to do about it.

        The bytes are kept as they came. What they carry beside the picture (EXIF, a camera's trailer) is never shown:
        faces show only what :class:`~ca_core.documents.rendering.Renderer` draws."""
        if not data:
            raise rejection(Refusal.EMPTY, self._limits)
        if len(data) > self._limits.max_size:
            raise rejection(Refusal.TOO_LARGE, self._limits)
        media_type = next((kind for magic, kind in _TYPES if data.startswith(magic)), None)
        if media_type is None:
            raise rejection(Refusal.TYPE, self._limits)
        name = safe_filename(filename)
        if extension(name) not in EXTENSIONS[media_type]:
            endings = " or ".join(f".{ending}" for ending in EXTENSIONS[media_type][:2])
            raise rejection(Refusal.EXTENSION, self._limits, endings=endings)
        # Archives are found from their end, so a picture or PDF may be one as well. This only looks for the marker.
        if zipfile.is_zipfile(io.BytesIO(data)):
            raise rejection(Refusal.POLYGLOT, self._limits)
        job = "inspect-pdf" if media_type == "application/pdf" else "inspect-image"
        answer, _ = self._sandbox.run(job, data, self._limits)
        pages = answer.get("pages")
        if not isinstance(pages, int) or not 1 <= pages <= self._limits.max_pages:
            raise rejection(Refusal.DAMAGED, self._limits)
        if media_type == "application/pdf":
            self._sandbox.run("draw-pdf", data, self._limits, options={"pages": pages})
        return Inspection(media_type=media_type, filename=name, pages=pages)
