"""Ed25519 and Ed448: the key decodes to a point on its curve that is not of small order (RFC 8032 §5.1.3, §5.2.3).

A key of small order makes signatures that verify for almost any message.
"""

from __future__ import annotations

from dataclasses import dataclass

from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.errors import WeakKey


@dataclass(frozen=True, kw_only=True)
class _Edwards:
    """a x² + y² = 1 + d x² y² over the field of p elements."""

    p: int
    a: int
    d: int
    small_order: frozenset[int]
    """The y coordinates of the points whose order divides the cofactor."""


_P25519 = 2**255 - 19
_P448 = 2**448 - 2**224 - 1
_Y8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
"""Of the points of order 8: d y⁴ + 2 y² - 1 = 0."""

_CURVES = {
    KeyAlgorithm.ED25519: _Edwards(
        p=_P25519,
        a=-1,
        d=-121665 * pow(121666, -1, _P25519) % _P25519,
        small_order=frozenset({0, 1, _P25519 - 1, _Y8, _P25519 - _Y8}),
    ),
    KeyAlgorithm.ED448: _Edwards(p=_P448, a=1, d=-39081, small_order=frozenset({0, 1, _P448 - 1})),
}


def check_edwards_point(algorithm: KeyAlgorithm, encoded: bytes) -> None:
    """Return if ``encoded`` (32 octets for Ed25519, 57 for Ed448) is a canonical point of large order."""
    curve = _CURVES[algorithm]
    # The top bit of the last octet is the sign of x.
    y = int.from_bytes(encoded, "little") & (1 << len(encoded) * 8 - 1) - 1
    if y >= curve.p:
        raise WeakKey(f"the {algorithm.value} key is not a canonical point; make a new one")
    if y in curve.small_order:
        raise WeakKey(f"the {algorithm.value} key is a point of small order, so anybody can sign for it")
    # x² = (y² - 1) / (d y² - a) has a root if and only if the product of the two is a square (Euler's criterion).
    square = (y * y - 1) * (curve.d * y * y - curve.a)
    if pow(square, (curve.p - 1) // 2, curve.p) != 1:
        raise WeakKey(f"the {algorithm.value} key is not a point on its curve; make a new one")
