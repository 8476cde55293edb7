"""A message between the sandbox and its parent: a JSON header and a body, each preceded by its length."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping

_LENGTHS = struct.Struct(">II")


def pack(header: Mapping[str, object], body: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return _LENGTHS.pack(len(text), len(body)) + text + body


def unpack(message: bytes) -> tuple[dict[str, object], bytes]:
    """Header and body; ValueError when the lengths do not add up or the header is not a JSON object."""
    if len(message) < _LENGTHS.size:
        raise ValueError("a message is shorter than its lengths")
    text_length, body_length = _LENGTHS.unpack_from(message)
    if len(message) != _LENGTHS.size + text_length + body_length:
        raise ValueError("a message is not as long as it says")
    start = _LENGTHS.size + text_length
    header = json.loads(message[_LENGTHS.size : start])
    if not isinstance(header, dict):
        raise ValueError("a header is not an object")
    return header, message[start:]
