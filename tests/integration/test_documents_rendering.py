"""Pages as pictures: drawn anew, upright, legible, bounded, with nothing of the upload left in them."""

from __future__ import annotations

import io
import struct

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Stream
from PIL import ExifTags, Image, PngImagePlugin

from ca_core.documents.limits import UploadLimits
from ca_core.documents.rendering import Renderer
from ca_core.domain.errors import DocumentRejected

RENDERER = Renderer(UploadLimits(max_pixels=1_000_000), dpi=72, max_pixels=40_000)
RED, GREEN, WHITE = (255, 0, 0), (0, 255, 0), (255, 255, 255)


def pdf(*boxes: tuple[float, float], content: bytes = b"1 0 0 rg 0 0 50 50 re f") -> bytes:
    """A page for each size in points, with a red square in the lower left corner."""
    document = pikepdf.new()
    for box in boxes:
        document.add_blank_page(page_size=box)
        document.pages[-1].obj.Contents = Stream(document, content)
    output = io.BytesIO()
    document.save(output)
    return output.getvalue()


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    output = io.BytesIO()
    picture.save(output, kind, **options)
    return output.getvalue()


def render(data: bytes, media_type: str, page: int = 1) -> Image.Image:
    drawn = Image.open(io.BytesIO(RENDERER.render(data, media_type=media_type, page=page)))
    drawn.load()
    return drawn


def test_a_pdf_page_is_drawn_at_the_resolution_asked_for() -> None:
    page = render(pdf((200, 100)), "application/pdf")
    assert (page.format, page.size) == ("PNG", (200, 100))
    assert page.getpixel((25, 75)) == RED
    assert page.getpixel((75, 25)) == WHITE


def test_each_page_is_drawn_by_its_number() -> None:
    data = pdf((100, 100), (60, 90))
    assert [render(data, "application/pdf", number).size for number in (1, 2)] == [(100, 100), (60, 90)]


def test_a_filled_form_field_is_shown() -> None:
    document = pikepdf.new()
    document.add_blank_page(page_size=(100, 100))
    look = Stream(document, b"0 1 0 rg 0 0 20 20 re f")
    look.update(Dictionary(Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 20, 20]))
    field = document.make_indirect(
        Dictionary(
            Type=Name.Annot,
            Subtype=Name.Widget,
            FT=Name.Tx,
            T="name",
            V="Ivanov",
            F=4,
            Rect=[10, 10, 30, 30],
            AP=Dictionary(N=document.make_indirect(look)),
        )
    )
    document.pages[0].obj.Annots = Array([field])
    document.Root.AcroForm = Dictionary(Fields=[field])
    output = io.BytesIO()
    document.save(output)
    assert render(output.getvalue(), "application/pdf").getpixel((20, 80)) == GREEN


@pytest.mark.parametrize("box", [(14_400, 14_400), (14_400, 3), (5_000, 1_000)], ids=["square", "strip", "poster"])
def test_a_large_page_is_drawn_smaller(box: tuple[float, float]) -> None:
    page = render(pdf(box), "application/pdf")
    assert page.width * page.height <= 45_000
    assert page.height >= 1


def test_a_large_picture_is_drawn_smaller_in_its_proportions() -> None:
    page = render(encoded(Image.new("RGB", (1_000, 500), RED), "JPEG"), "image/jpeg")
    assert page.width * page.height <= 40_000
    assert page.width / page.height == pytest.approx(2, abs=0.05)


def test_a_photo_is_turned_upright() -> None:
    photo = Image.new("RGB", (60, 40), "white")
    photo.paste(RED, (0, 0, 30, 40))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    page = render(encoded(photo, "JPEG", exif=exif, quality=100), "image/jpeg")
    assert page.size == (40, 60)
    red, _, blue = page.getpixel((20, 10))  # type: ignore[misc]
    assert red > 200
    assert blue < 60


def test_the_pages_of_a_tiff_are_drawn_by_their_number() -> None:
    data = encoded(
        Image.new("RGB", (40, 40), RED), "TIFF", save_all=True, append_images=[Image.new("RGB", (40, 40), GREEN)]
    )
    assert [render(data, "image/tiff", number).getpixel((5, 5)) for number in (1, 2)] == [RED, GREEN]


def gradient(mode: str, low: int, high: int) -> Image.Image:
    """Left half dark, right half light."""
    octets = struct.pack("<8H", *[low] * 4, *[high] * 4) if mode == "I;16" else bytes([low] * 4 + [high] * 4)
    return Image.frombytes(mode, (8, 1), octets).resize((64, 64), Image.Resampling.NEAREST)


@pytest.mark.parametrize(
    ("picture", "kind", "options"),
    [
        (gradient("L", 0, 255), "PNG", {}),
        (gradient("L", 0, 255).convert("1"), "TIFF", {"compression": "group4"}),
        (gradient("L", 0, 255).convert("P"), "PNG", {}),
        (gradient("L", 0, 255).convert("LA"), "PNG", {}),
        (gradient("L", 0, 255).convert("CMYK"), "JPEG", {"quality": 100}),
        (gradient("L", 0, 255).convert("CMYK"), "TIFF", {"compression": "tiff_deflate"}),
        (gradient("L", 0, 255).convert("RGB"), "TIFF", {"compression": "jpeg", "quality": 100}),
        (gradient("L", 0, 255).convert("RGB"), "TIFF", {"compression": "packbits"}),
        (gradient("I;16", 100, 60_000), "PNG", {}),
        (gradient("I;16", 100, 60_000), "TIFF", {}),
        (gradient("L", 0, 255).convert("I"), "TIFF", {}),
        (gradient("L", 0, 255).convert("F"), "TIFF", {}),
    ],
    ids=[
        "png-grey",
        "tiff-fax",
        "png-palette",
        "png-grey-alpha",
        "jpeg-cmyk",
        "tiff-cmyk-deflate",
        "tiff-jpeg",
        "tiff-packbits",
        "png-16-bit",
        "tiff-16-bit",
        "tiff-32-bit",
        "tiff-float",
    ],
)
def test_every_kind_of_pixel_is_drawn_in_its_shades(
    picture: Image.Image, kind: str, options: dict[str, object]
) -> None:
    page = render(encoded(picture, kind, **options), f"image/{kind.lower()}").convert("L")
    dark, light = page.getpixel((8, 32)), page.getpixel((56, 32))
    assert isinstance(dark, int)
    assert isinstance(light, int)
    assert dark < 20
    assert light > 235


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_drawn_white(mode: str) -> None:
    picture = Image.new("RGBA", (20, 20), (0, 0, 0, 0)).convert(mode)
    options: dict[str, object] = {"transparency": 0} if mode == "P" else {}
    page = render(encoded(picture, "PNG", **options), "image/png").convert("RGB")
    assert page.getpixel((5, 5)) == WHITE


def test_nothing_of_the_upload_but_its_pixels_is_in_the_picture() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "<script>alert(1)</script>")
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "<script>alert(1)</script>"
    data = encoded(Image.new("RGB", (20, 20)), "PNG", pnginfo=text, exif=exif, icc_profile=b"<script>", dpi=(300, 300))
    drawn = RENDERER.render(data, media_type="image/png", page=1)
    assert b"script" in data
    assert b"script" not in drawn
    chunks, at = set(), 8
    while at < len(drawn):
        length, kind = struct.unpack_from(">I4s", drawn, at)
        chunks.add(kind)
        at += 12 + length
    assert chunks == {b"IHDR", b"IDAT", b"IEND"}


@pytest.mark.parametrize(
    ("data", "media_type", "page"),
    [
        (pdf((100, 100)), "application/pdf", 0),
        (pdf((100, 100)), "application/pdf", 2),
        (encoded(Image.new("L", (9, 9)), "TIFF"), "image/tiff", 2),
        (encoded(Image.new("L", (9, 9)), "PNG"), "image/png", -1),
    ],
    ids=["page-0", "behind-the-last", "behind-the-last-of-tiff", "negative"],
)
def test_a_page_that_is_not_there_is_refused(data: bytes, media_type: str, page: int) -> None:
    with pytest.raises(DocumentRejected, match="no such page"):
        RENDERER.render(data, media_type=media_type, page=page)


@pytest.mark.parametrize("media_type", ["application/pdf", "image/png"])
@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"\x89PNG\r\n\x1a\n", b"x" * 100])
def test_what_cannot_be_drawn_is_refused(data: bytes, media_type: str) -> None:
    with pytest.raises(DocumentRejected, match="damaged"):
        RENDERER.render(data, media_type=media_type, page=1)


def test_a_picture_over_the_limit_is_refused() -> None:
    with pytest.raises(DocumentRejected, match="million pixels"):
        RENDERER.render(encoded(Image.new("1", (1_100, 1_000)), "PNG"), media_type="image/png", page=1)
