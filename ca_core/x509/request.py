"""Certification requests (PKCS #10, RFC 2986): hostile bytes until every part of them was read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.errors import BadSignature, MalformedDer, PossessionNotProven
from ca_core.x509.algorithm import key_algorithm_of
from ca_core.x509.der_reader import SET, Element, decode
from ca_core.x509.extension import Extension, read_extensions
from ca_core.x509.extension_values import SUBJECT_ALTERNATIVE_NAME
from ca_core.x509.general_name import decode_general_names
from ca_core.x509.name import Attribute, Name
from ca_core.x509.pem import from_pem
from ca_core.x509.signature import verify_signature

MAX_SIZE = 64 * 1024
"""Octets of a request, DER or PEM."""
MAX_ATTRIBUTES = 32

_EXTENSION_REQUEST = "1.2.840.113549.1.9.14"
_MICROSOFT_EXTENSION_REQUEST = "1.3.6.1.4.1.311.2.1.14"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificationRequest:
    """A request whose form is right; whether its signature is, :meth:`prove_possession` says.

    What it asks for binds nobody: the certificate's content comes from the application and the profile.
    """

    der: bytes
    information: bytes
    """The CertificationRequestInfo, over which the signature is made."""
    name: Name
    public_key_info: bytes
    """DER SubjectPublicKeyInfo."""
    key_algorithm: KeyAlgorithm
    requested_extensions: tuple[Extension, ...]
    san: tuple[tuple[str, str], ...]
    """Requested alternative names as (type, value)."""
    signature_algorithm: bytes
    signature: bytes

    @classmethod
    def parse(cls, encoded: bytes) -> Self:
        """Read DER or one PEM block of at most 64 KiB.

        :class:`MalformedDer` for anything that is not exactly one request of version 1 with each attribute and
        extension once; :class:`WeakKey` and :class:`ProfileViolation` for keys that are not certified.
        """
        if len(encoded) > MAX_SIZE:
            raise MalformedDer("the request is larger than 64 KiB")
        if encoded[:1] != b"\x30":
            encoded = from_pem(encoded, "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")
        information, algorithm, signature = decode(encoded).sequence("the request", least=3, most=3)
        version, subject, key, attributes = information.sequence("the request", least=4, most=4)
        if version.integer("the version") != 0:
            raise MalformedDer("the request's version is not 1 (RFC 2986 section 4.1)")
        algorithm.sequence("the signature algorithm", least=1, most=2)
        extensions = _requested(
            attributes.expect(0xA0, "the attributes").counted("the attributes", most=MAX_ATTRIBUTES)
        )
        san = next((extension.value for extension in extensions if extension.oid == SUBJECT_ALTERNATIVE_NAME), None)
        return cls(
            der=encoded,
            information=information.raw,
            name=Name.of(subject),
            public_key_info=key.raw,
            key_algorithm=key_algorithm_of(key.raw),
            requested_extensions=extensions,
            san=() if san is None else decode_general_names(san),
            signature_algorithm=algorithm.raw,
            signature=signature.bits("the signature"),
        )

    def prove_possession(self) -> None:
        """Return if the key in the request signed it (RFC 2986 §3); :class:`PossessionNotProven` otherwise."""
        try:
            verify_signature(self.public_key_info, self.signature_algorithm, self.information, self.signature)
        except (BadSignature, MalformedDer) as fault:
            raise PossessionNotProven(f"the request is not signed by its own key: {fault.detail}") from None

    @property
    def subject(self) -> tuple[Attribute, ...]:
        """The attributes of the requested subject, in order."""
        return self.name.attributes

    @property
    def sha256(self) -> bytes:
        """32 octets over the DER."""
        return hashlib.sha256(self.der).digest()


def _requested(attributes: Sequence[Element]) -> tuple[Extension, ...]:
    seen: set[str] = set()
    extensions: tuple[Extension, ...] = ()
    for attribute in attributes:
        kind, values = attribute.sequence("an attribute", least=2, most=2)
        oid = kind.oid("an attribute's type")
        members = values.expect(SET, "an attribute's values").counted("an attribute's values", least=1)
        # Two attributes that both ask for extensions could be read differently by two parsers.
        if oid == _MICROSOFT_EXTENSION_REQUEST:
            oid = _EXTENSION_REQUEST
        if oid in seen:
            raise MalformedDer("an attribute of the request appears twice")
        seen.add(oid)
        if oid == _EXTENSION_REQUEST:
            if len(members) != 1:
                raise MalformedDer("the extension request has more than one value (RFC 2985 section 5.4.2)")
            extensions = read_extensions(members[0])
    return extensions
