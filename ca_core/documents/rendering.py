"""Pages of a document as pictures for reviewers: drawn anew, so that no octet of the upload reaches a browser."""

from __future__ import annotations

from ca_core.documents.limits import UploadLimits
from ca_core.documents.refusals import Refusal, rejection
from ca_core.documents.sandbox import Sandbox

_PNG = b"\x89PNG\r\n\x1a\n"


class Renderer:
    """Draws pages in the sandbox. Thread-safe.

    ``dpi`` is the resolution of PDF pages; pictures keep their own. Both shrink to ``max_pixels``. Fonts that a PDF
    does not embed are replaced by the renderer's built-in ones, since the sandbox cannot open the system's."""

    def __init__(
        self,
        limits: UploadLimits | None = None,
        sandbox: Sandbox | None = None,
        *,
        dpi: int = 150,
        max_pixels: int = 10_000_000,
    ) -> None:
        self._limits = limits or UploadLimits()
        self._sandbox = sandbox or Sandbox()
        self._options = {"dpi": dpi, "max_pixels": max_pixels}

    def render(self, data: bytes, *, media_type: str, page: int) -> bytes:
        """The page, counted from 1, as PNG; DocumentRejected when there is none or it cannot be drawn."""
        job = "render-pdf" if media_type == "application/pdf" else "render-image"
        options = {**self._options, "page": page}
        _, picture = self._sandbox.run(job, data, self._limits, options=options)
        if not picture.startswith(_PNG):
            raise rejection(Refusal.DAMAGED, self._limits)
        return picture
