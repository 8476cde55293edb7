"""Files of many certificates: PEM blocks with any text between them (RFC 7468 §5.2), or DER one after the other.

A file is cut into pieces that end where a certificate ends, so that several processes can read them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from mmap import mmap
from typing import NamedTuple

from ca_core.domain.errors import MalformedDer
from ca_core.x509.der_reader import header

PIECE = 1 << 20
"""Octets of a piece, and what it takes to the end of a certificate."""
_LABEL = b"CERTIFICATE"
_END = b"-----END CERTIFICATE-----"
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*)-----END \1-----")
_BEGIN = re.compile(rb"-----BEGIN ")
_LONGEST_HEADER = 6
"""Octets of a tag and the longest length that is read."""


class Piece(NamedTuple):
    """A part of a file."""

    source: str
    """The file's name."""
    position: int
    """Octets before it."""
    data: bytes


def pieces(source: str, data: bytes | mmap) -> Iterator[Piece]:
    """The whole file in pieces."""
    find_end = _der_end if data[:1] == b"\x30" else _pem_end
    at = 0
    while at < len(data):
        end = find_end(data, at)
        yield Piece(source, at, data[at:end])
        at = end


def certificates_of(piece: Piece) -> Iterator[tuple[int, bytes | str]]:
    """The certificates in it, each with its position in the file; or, where there is something else, what is wrong."""
    return _from_der(piece) if piece.data[:1] == b"\x30" else _from_pem(piece)


def _pem_end(data: bytes | mmap, at: int) -> int:
    found = data.find(_END, at + PIECE)
    return len(data) if found < 0 else found + len(_END)


def _der_end(data: bytes | mmap, at: int) -> int:
    start = at
    while at < len(data) and at - start < PIECE:
        try:
            at += _size(data[at : at + _LONGEST_HEADER])
        except MalformedDer:
            return len(data)
    return min(at, len(data))


def _size(beginning: bytes) -> int:
    """Octets of the value that begins so; MalformedDer where no certificate does."""
    if len(beginning) < 2 or beginning[0] != 0x30:
        raise MalformedDer("no certificate begins here")
    return header(beginning, 0, 1 << 33)[2]


def _from_der(piece: Piece) -> Iterator[tuple[int, bytes | str]]:
    at = 0
    while at < len(piece.data):
        try:
            _, _, end = header(piece.data, at, len(piece.data))
            if piece.data[at] != 0x30:
                raise MalformedDer("no certificate begins here")
        except MalformedDer as fault:
            yield piece.position + at, f"the rest of the file cannot be read: {fault.detail}"
            return
        yield piece.position + at, piece.data[at:end]
        at = end


def _from_pem(piece: Piece) -> Iterator[tuple[int, bytes | str]]:
    if piece.position == 0 and _BEGIN.search(piece.data) is None:
        yield 0, "there is no certificate in it"
    blocks = {found.start(): found for found in _BLOCK.finditer(piece.data)}
    for begin in _BEGIN.finditer(piece.data):
        position, block = piece.position + begin.start(), blocks.get(begin.start())
        if block is None:
            yield position, "the PEM block does not end"
        elif block[1] != _LABEL:
            yield position, f"the PEM block is a {block[1].decode()} and no {_LABEL.decode()}"
        else:
            try:
                yield position, base64.b64decode(b"".join(block[2].split()), validate=True)
            except binascii.Error:
                yield position, "the PEM block is not valid base64"
