"""The NIST curves and the check that a public key is a point on one (SP 800-186, RFC 5480 §2.2)."""

from __future__ import annotations

from dataclasses import dataclass

from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.errors import MalformedDer, ProfileViolation, WeakKey


@dataclass(frozen=True, kw_only=True)
class Curve:
    """y² = x³ - 3x + b over the field of p elements; the cofactor is 1, so each point but infinity has full order."""

    algorithm: KeyAlgorithm
    p: int
    b: int

    def check_point(self, encoded: bytes) -> None:
        """Return if ``encoded`` is an uncompressed point on the curve (full validation, SP 800-56A §5.6.2.3.3)."""
        size = (self.p.bit_length() + 7) // 8
        if encoded[:1] in (b"\x02", b"\x03"):
            raise ProfileViolation("the EC point is compressed; write it uncompressed")
        if encoded[:1] != b"\x04" or len(encoded) != 1 + 2 * size:
            raise MalformedDer("the EC key is not a point of its curve's size")
        x = int.from_bytes(encoded[1 : 1 + size], "big")
        y = int.from_bytes(encoded[1 + size :], "big")
        if x >= self.p or y >= self.p or (y * y - (x * x - 3) * x - self.b) % self.p:
            raise WeakKey("the EC key is not a point on its curve; make a new one")


CURVES = {
    "1.2.840.10045.3.1.7": Curve(
        algorithm=KeyAlgorithm.EC_P256,
        p=2**256 - 2**224 + 2**192 + 2**96 - 1,
        b=0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    ),
    "1.3.132.0.34": Curve(
        algorithm=KeyAlgorithm.EC_P384,
        p=2**384 - 2**128 - 2**96 + 2**32 - 1,
        b=int("B3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF", 16),
    ),
    "1.3.132.0.35": Curve(
        algorithm=KeyAlgorithm.EC_P521,
        p=2**521 - 1,
        b=int(
            "0051953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109E156193951EC7E937B1652C0BD3BB1BF07"
            "3573DF883D2C34F1EF451FD46B503F00",
            16,
        ),
    ),
}
"""By the OID that names the curve."""
