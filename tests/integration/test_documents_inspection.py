"""Uploads at the door: plain documents pass, everything hostile is refused with a sentence that says what to do."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import pikepdf
import pytest
from hypothesis import given, settings, strategies as st
from pikepdf import Array, Dictionary, Name, Pdf, Stream
from PIL import Image

from ca_core.documents.inspection import Inspector
from ca_core.documents.limits import SandboxLimits, UploadLimits
from ca_core.documents.sandbox import Sandbox
from ca_core.domain.errors import DocumentRejected

LIMITS = UploadLimits(max_size=2 << 20, max_pages=3, max_pixels=1_000_000, max_expanded=4 << 20)
INSPECTOR = Inspector(LIMITS, Sandbox(SandboxLimits(memory=512 << 20)))


def pdf(change: Callable[[Pdf], object] = lambda _: None, *, pages: int = 1, **options: object) -> bytes:
    """A PDF of empty pages, after ``change``."""
    document = Pdf.new()
    for _ in range(pages):
        document.add_blank_page()
    change(document)
    output = io.BytesIO()
    document.save(output, **options)  # type: ignore[arg-type]
    return output.getvalue()


def picture(kind: str, *, size: tuple[int, int] = (64, 48), **options: object) -> bytes:
    output = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(output, kind, **options)
    return output.getvalue()


def tiff(frames: int, size: tuple[int, int] = (64, 48)) -> bytes:
    others = [Image.new("RGB", size, "red") for _ in range(frames - 1)]
    return picture("TIFF", save_all=True, append_images=others, compression="tiff_lzw")


def png_of(width: int, height: int) -> bytes:
    """A PNG of one colour and any size, tiny however large it claims to be."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def archive(prefix: bytes) -> bytes:
    output = io.BytesIO(prefix)
    output.seek(0, io.SEEK_END)
    with zipfile.ZipFile(output, "a") as file:
        file.writestr("payload.txt", "hello")
    return output.getvalue()


def stream(content: bytes, filters: object, **entries: object) -> Callable[[Pdf], None]:
    def change(document: Pdf) -> None:
        item = Stream(document, content)
        item.Filter = filters
        for key, value in entries.items():
            item[f"/{key}"] = value
        document.Root.Extra = document.make_indirect(item)

    return change


def at(key: str, value: object) -> Callable[[Pdf], None]:
    """Put the value under a key of the catalogue."""
    return lambda document: document.Root.__setitem__(key, value)


def on_page(key: str, value: object) -> Callable[[Pdf], None]:
    return lambda document: document.pages[0].obj.__setitem__(key, value)


def action(kind: str) -> Dictionary:
    return Dictionary(Type=Name.Action, S=Name(kind))


def annotation(kind: str) -> Callable[[Pdf], None]:
    return on_page("/Annots", Array([Dictionary(Type=Name.Annot, Subtype=Name(kind), Rect=[0, 0, 9, 9])]))


def unreferenced(value: Dictionary) -> Callable[[Pdf], object]:
    """An object that only an exotic reader would find."""

    def change(document: Pdf) -> None:
        document.Root.Extra = document.make_indirect(Dictionary(Deep=Array([Dictionary(Deeper=Array([value]))])))

    return change


def with_file(document: Pdf) -> None:
    document.attachments["secret.txt"] = b"hello"


BOMB = zlib.compress(bytes(8 << 20), 9)
RAW = {"compress_streams": False, "stream_decode_level": pikepdf.StreamDecodeLevel.none}
JPEG, PNG, TIFF, PDF = picture("JPEG"), picture("PNG"), picture("TIFF"), pdf()


@pytest.mark.parametrize(
    ("data", "name", "media_type", "pages"),
    [
        (PDF, "Заявление.pdf", "application/pdf", 1),
        (pdf(pages=3), "three.PDF", "application/pdf", 3),
        (pdf(object_stream_mode=pikepdf.ObjectStreamMode.generate), "a.pdf", "application/pdf", 1),
        (pdf(linearize=True), "a.pdf", "application/pdf", 1),
        (pdf(at("/OpenAction", Array([0, Name.Fit]))), "a.pdf", "application/pdf", 1),
        (pdf(at("/OpenAction", action("/GoTo"))), "a.pdf", "application/pdf", 1),
        (pdf(annotation("/Link")), "a.pdf", "application/pdf", 1),
        (PDF + b"\r\n\0\0", "a.pdf", "application/pdf", 1),
        (JPEG, "photo.jpeg", "image/jpeg", 1),
        (picture("JPEG", progressive=True), "photo.JPG", "image/jpeg", 1),
        (picture("JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0"), "photo.jpg", "image/jpeg", 1),
        (picture("MPO", save_all=True, append_images=[Image.new("RGB", (9, 9))]), "a.jpg", "image/jpeg", 1),
        (JPEG + b"\0\0\0SEFHk\0\0\0SEFT", "samsung.jpg", "image/jpeg", 1),
        (PNG, "screen.png", "image/png", 1),
        (TIFF, "scan.tif", "image/tiff", 1),
        (tiff(3), "scan.tiff", "image/tiff", 3),
    ],
    ids=[
        "pdf",
        "pdf-three-pages",
        "pdf-object-streams",
        "pdf-linearized",
        "pdf-opens-at-a-page",
        "pdf-opens-with-goto",
        "pdf-with-a-link",
        "pdf-padded",
        "jpeg",
        "jpeg-progressive",
        "jpeg-exif",
        "jpeg-with-second-picture",
        "jpeg-with-camera-trailer",
        "png",
        "tiff",
        "tiff-three-pages",
    ],
)
def test_a_plain_document_passes(data: bytes, name: str, media_type: str, pages: int) -> None:
    found = INSPECTOR.inspect(data, filename=f"/tmp/{name}")
    assert (found.media_type, found.filename, found.pages) == (media_type, name, pages)


@pytest.mark.parametrize(
    ("data", "name", "sentence"),
    [
        (b"", "a.pdf", "is empty"),
        (PDF + bytes(2 << 20), "a.pdf", "larger than 2 MiB"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "a.pdf", "not a PDF, JPEG, PNG or TIFF"),
        (b"<html><script>alert(1)</script>", "a.pdf", "not a PDF, JPEG, PNG or TIFF"),
        (b"MZ\x90\0" + bytes(200), "a.pdf", "not a PDF, JPEG, PNG or TIFF"),
        (archive(b""), "a.pdf", "not a PDF, JPEG, PNG or TIFF"),
        (picture("GIF"), "a.png", "not a PDF, JPEG, PNG or TIFF"),
        (picture("GIF") + PDF, "a.pdf", "not a PDF, JPEG, PNG or TIFF"),
        (b"\n" + PDF, "a.pdf", "not a PDF, JPEG, PNG or TIFF"),
        (PDF, "a.jpg", "does not end as its content asks; give it the ending .pdf"),
        (JPEG, "a.pdf", "give it the ending .jpg or .jpeg"),
        (PDF, "a.pdf.exe", "does not end as its content asks"),
        (PDF, "a\u202efdp.exe", "does not end as its content asks"),
        (PDF, "pdf", "does not end as its content asks"),
    ],
    ids=[
        "empty",
        "oversize",
        "svg",
        "html",
        "exe",
        "zip",
        "gif",
        "gif-and-pdf",
        "pdf-header-not-first",
        "pdf-named-jpg",
        "jpeg-named-pdf",
        "double-ending",
        "bidi-override-in-name",
        "no-ending",
    ],
)
def test_what_is_not_what_it_says_is_refused(data: bytes, name: str, sentence: str) -> None:
    with pytest.raises(DocumentRejected, match=sentence) as refused:
        INSPECTOR.inspect(data, filename=name)
    assert refused.value.fields["file"] == refused.value.detail


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (pdf(encryption=pikepdf.Encryption(user="secret", owner="secret")), "protected by a password"),
        (pdf(encryption=pikepdf.Encryption(user="", owner="secret")), "protected by a password"),
        (pdf(at("/OpenAction", Dictionary(S=Name.JavaScript, JS="app.alert(1)"))), "contains JavaScript"),
        (pdf(at("/OpenAction", Dictionary(S=Name.JavaScript))), "contains JavaScript"),
        (pdf(on_page("/AA", Dictionary(O=Dictionary(S=Name.JavaScript, JS="1")))), "contains JavaScript"),
        (pdf(at("/Names", Dictionary(JavaScript=Dictionary(Names=[])))), "contains JavaScript"),
        (pdf(unreferenced(Dictionary(JS="1"))), "contains JavaScript"),
        (
            pdf(
                unreferenced(Dictionary(S=Name.JavaScript)),
                object_stream_mode=pikepdf.ObjectStreamMode.generate,
            ),
            "contains JavaScript",
        ),
        (pdf(at("/OpenAction", action("/JavaScript"))).replace(b"/JavaScript", b"/JavaScr#69pt"), "damaged|JavaScript"),
        (pdf(on_page("/AA", Dictionary(O=action("/Launch")))), "starts programs"),
        (pdf(at("/OpenAction", Dictionary(S=Name.URI, Next=Array([action("/Launch")])))), "starts programs"),
        (pdf(at("/OpenAction", action("/SubmitForm"))), "sends forms"),
        (pdf(at("/OpenAction", action("/ImportData"))), "sends forms"),
        (pdf(at("/OpenAction", action("/GoToR"))), "starts programs"),
        (pdf(at("/OpenAction", action("/GoToE"))), "starts programs"),
        (pdf(annotation("/RichMedia")), "plays media"),
        (pdf(annotation("/Screen")), "plays media"),
        (pdf(annotation("/FileAttachment")), "other files inside"),
        (pdf(with_file), "other files inside"),
        (pdf(at("/Collection", Dictionary())), "other files inside"),
        (pdf(stream(b"x", Array(), Type=Name.EmbeddedFile)), "other files inside"),
        (pdf(at("/AcroForm", Dictionary(XFA="<xdp/>", Fields=[]))), "XFA form"),
        (pdf(stream(b"x", Array(), F="/etc/passwd")), "refers to data outside"),
        (pdf(pages=4), "more than 3 pages"),
        (pdf(lambda document: document.pages.__delitem__(0)), "damaged"),
        (pdf(stream(BOMB, Name.FlateDecode), **RAW), "unpacks to more data"),
        (
            pdf(stream(zlib.compress(BOMB), Array([Name.FlateDecode, Name.FlateDecode])), **RAW),
            "unpacks to more data",
        ),
        (pdf(stream(bytes([129, 0] * 50_000), Name.RunLengthDecode), **RAW), "unpacks to more data"),
        (pdf(stream(b"", Name.DCTDecode, Subtype=Name.Image, Width=40_000, Height=40_000), **RAW), "million pixels"),
        (PDF[:-60], "damaged"),
        (PDF[:20], "damaged"),
        (PDF[:300] + PDF[320:], "damaged"),
        (PDF + b"<script>alert(1)</script>", "other data beside"),
        (PDF + JPEG, "other data beside"),
        (archive(PDF), "other data beside"),
    ],
    ids=[
        "encrypted",
        "encrypted-with-empty-password",
        "javascript-on-open",
        "javascript-without-text",
        "javascript-on-page",
        "javascript-in-names",
        "javascript-unreferenced",
        "javascript-in-object-stream",
        "javascript-escaped-name",
        "launch-on-page",
        "launch-in-chain",
        "submit-form",
        "import-data",
        "goto-remote",
        "goto-embedded",
        "rich-media",
        "screen",
        "attached-by-annotation",
        "attached",
        "portfolio",
        "embedded-file-stream",
        "xfa",
        "external-stream",
        "too-many-pages",
        "no-pages",
        "flate-bomb",
        "flate-bomb-twice-packed",
        "run-length-bomb",
        "huge-image",
        "cut-off",
        "only-a-header",
        "wrong-offsets",
        "html-behind",
        "jpeg-behind",
        "zip-behind",
    ],
)
def test_a_pdf_that_is_more_than_pages_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(DocumentRejected, match=sentence):
        INSPECTOR.inspect(data, filename="a.pdf")


@pytest.mark.parametrize(
    ("data", "name", "sentence"),
    [
        (png_of(50_000, 50_000), "a.png", "million pixels"),
        (png_of(1_100, 1_000), "a.png", "million pixels"),
        (png_of(0, 10), "a.png", "damaged"),
        (png_of(1_000, 1_000), "a.png", "damaged"),
        (PNG[:-40], "a.png", "damaged"),
        (PNG.replace(b"IEND", b"IENX"), "a.png", "damaged"),
        (PNG + PDF, "a.png", "other data beside"),
        (archive(PNG), "a.png", "other data beside"),
        (PNG + b"<?php system($_GET[0]); ?>", "a.png", "other data beside"),
        (JPEG[: len(JPEG) // 2], "a.jpg", "damaged"),
        (JPEG[:-2], "a.jpg", "damaged"),
        (JPEG[:4], "a.jpg", "damaged"),
        (JPEG + b"<html>", "a.jpg", "other data beside"),
        (archive(JPEG), "a.jpg", "other data beside"),
        (JPEG[:2] + b"\xff\xfe\0\x0a%PDF-1.7" + JPEG[2:], "a.jpg", "other data beside"),
        (picture("JPEG", size=(1_100, 1_000)), "a.jpg", "million pixels"),
        (tiff(4), "a.tif", "more than 3 pages"),
        (tiff(2, size=(1_100, 1_000)), "a.tif", "million pixels"),
        (TIFF[: len(TIFF) // 2], "a.tif", "damaged"),
        (b"II*\0\x08\0\0\0\0\0", "a.tif", "damaged"),
        (archive(TIFF), "a.tif", "other data beside"),
    ],
    ids=[
        "png-decompression-bomb",
        "png-just-too-large",
        "png-without-width",
        "png-with-too-little-data",
        "png-cut-off",
        "png-without-end",
        "png-and-pdf",
        "png-and-zip",
        "png-and-php",
        "jpeg-cut-off",
        "jpeg-without-end",
        "jpeg-only-a-header",
        "jpeg-and-html",
        "jpeg-and-zip",
        "jpeg-and-pdf-in-a-comment",
        "jpeg-too-large",
        "tiff-too-many-pages",
        "tiff-second-page-too-large",
        "tiff-cut-off",
        "tiff-empty-directory",
        "tiff-and-zip",
    ],
)
def test_a_picture_that_is_damaged_huge_or_double_is_refused(data: bytes, name: str, sentence: str) -> None:
    with pytest.raises(DocumentRejected, match=sentence):
        INSPECTOR.inspect(data, filename=name)


@given(st.sampled_from([(PDF, "a.pdf"), (JPEG, "a.jpg"), (PNG, "a.png"), (tiff(2), "a.tif")]), st.data())
@settings(deadline=None, max_examples=40)
def test_a_mutated_document_passes_or_is_refused(sample: tuple[bytes, str], data: st.DataObject) -> None:
    original, name = sample
    octets = bytearray(original)
    for _ in range(data.draw(st.integers(1, 8))):
        octets[data.draw(st.integers(4, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = INSPECTOR.inspect(bytes(octets), filename=name)
    except DocumentRejected:
        return
    assert 1 <= found.pages <= 3


@given(
    st.sampled_from([b"%PDF-", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b""]), st.binary(max_size=400)
)
@settings(deadline=None, max_examples=25)
def test_random_bytes_are_refused(magic: bytes, rest: bytes) -> None:
    for name in ("a.pdf", "a.jpg", "a.png", "a.tif"):
        with pytest.raises(DocumentRejected):
            INSPECTOR.inspect(magic + rest, filename=name)
