"""The standard extensions: each function reads its parameters once and returns the encoder of the value.

All raise :class:`ConfigurationError` for bad parameters, before any certificate is made.
"""

from __future__ import annotations

from datetime import timedelta

from ca_core.domain.errors import ConfigurationError, InvalidInput, ProfileViolation
from ca_core.x509 import der
from ca_core.x509.algorithm import key_algorithm_of, public_key_identifier
from ca_core.x509.extension_context import Encoder, ExtensionContext, constant
from ca_core.x509.extension_parameters import Parameters
from ca_core.x509.general_name import check_uri, encode_general_name
from ca_core.x509.key_usage import PURPOSES, USAGES, canonical, usages_of

_MAX_PATH_LENGTH = 16
_ACCESS_METHODS = {"ocsp": "1.3.6.1.5.5.7.48.1", "ca_issuers": "1.3.6.1.5.5.7.48.2"}


def basic_constraints(parameters: Parameters) -> Encoder:
    """RFC 5280 §4.2.1.9. ``ca`` (default false); ``path_length`` for a CA."""
    ca = parameters.boolean("ca")
    if not ca:
        if parameters.has("path_length"):
            parameters.refuse("path_length", "only a CA has one")
        return constant(der.sequence())
    fixed = parameters.integer("path_length", least=0, most=_MAX_PATH_LENGTH) if parameters.has("path_length") else None

    def encode(context: ExtensionContext) -> bytes:
        length = fixed if context.path_length is None else context.path_length
        return der.sequence(der.boolean(True), b"" if length is None else der.integer(length))

    return encode


def key_usage(parameters: Parameters) -> Encoder:
    """RFC 5280 §4.2.1.3. ``usages``: names of :data:`~ca_core.x509.key_usage.USAGES`.

    Usages that the subject's kind of key cannot have are left out, so that one profile serves all its algorithms.
    """
    usages: list[str] = []
    for name in parameters.texts("usages"):
        usage = canonical(name, USAGES)
        if usage is None:
            parameters.refuse("usages", f"{name!r} is no key usage; use {', '.join(USAGES)}")
        usages.append(usage)

    def encode(context: ExtensionContext) -> bytes:
        possible = usages_of(key_algorithm_of(context.subject_public_key_info))
        kept = [USAGES.index(usage) for usage in usages if usage in possible]
        if not kept:
            raise ProfileViolation("this kind of key can have none of the key usages of the profile")
        return der.named_bits(kept)

    return encode


def extended_key_usage(parameters: Parameters) -> Encoder:
    """RFC 5280 §4.2.1.12. ``purposes``: names of :data:`~ca_core.x509.key_usage.PURPOSES` or OIDs."""
    encoded: list[bytes] = []
    for purpose in parameters.texts("purposes"):
        name = canonical(purpose, PURPOSES)
        try:
            encoded.append(der.oid(PURPOSES[name] if name else purpose))
        except InvalidInput:
            parameters.refuse("purposes", f"{purpose!r} is neither an OID nor one of {', '.join(PURPOSES)}")
    return constant(der.sequence(*encoded))


def subject_alternative_name(parameters: Parameters) -> Encoder:
    """RFC 5280 §4.2.1.6, from the context's names. ``wildcards``, ``required`` (both default false)."""
    wildcards = parameters.boolean("wildcards")
    required = parameters.boolean("required")

    def encode(context: ExtensionContext) -> bytes | None:
        names = dict.fromkeys(encode_general_name(kind, text, wildcards=wildcards) for kind, text in context.san)
        if not names and (required or context.subject_is_empty):
            raise ProfileViolation("the profile needs at least one alternative name", fields={"san": "none was given"})
        return der.sequence(*names) if names else None

    return encode


def subject_key_identifier(_: Parameters) -> Encoder:
    """RFC 5280 §4.2.1.2 (1): SHA-1 over the key."""
    return lambda context: der.octet_string(public_key_identifier(context.subject_public_key_info))


def authority_key_identifier(_: Parameters) -> Encoder:
    """RFC 5280 §4.2.1.1: the issuer's key identifier, or one's own in a self-signed certificate."""

    def encode(context: ExtensionContext) -> bytes:
        identifier = context.issuer_key_identifier
        if identifier is None:
            identifier = public_key_identifier(context.subject_public_key_info)
        return der.sequence(der.implicit(0, der.octet_string(identifier)))

    return encode


def crl_distribution_points(_: Parameters) -> Encoder:
    """RFC 5280 §4.2.1.13: one point, the issuer's ``crl`` address."""

    def encode(context: ExtensionContext) -> bytes:
        return der.sequence(der.sequence(distribution_point_name(_address(context, "crl"))))

    return encode


def freshest_crl(_: Parameters) -> Encoder:
    """RFC 5280 §4.2.1.15: one point, where the deltas to the issuer's list lie."""

    def encode(context: ExtensionContext) -> bytes:
        return der.sequence(der.sequence(distribution_point_name(_address(context, "freshest_crl"))))

    return encode


def distribution_point_name(url: str) -> bytes:
    """The [0] DistributionPointName with one URI, as CDP and issuing distribution point share it."""
    return der.explicit(0, der.implicit(0, der.sequence(der.tlv(0x86, url.encode("ascii")))))


def authority_information_access(parameters: Parameters) -> Encoder:
    """RFC 5280 §4.2.2.1. ``methods``: ``ocsp``, ``ca_issuers`` (default both), at the issuer's addresses."""
    methods = parameters.texts("methods") if parameters.has("methods") else tuple(_ACCESS_METHODS)
    for method in methods:
        if method not in _ACCESS_METHODS:
            parameters.refuse("methods", f"{method!r} is neither ocsp nor ca_issuers")

    def encode(context: ExtensionContext) -> bytes:
        return der.sequence(
            *(
                der.sequence(der.oid(_ACCESS_METHODS[method]), der.tlv(0x86, _address(context, method).encode("ascii")))
                for method in methods
            )
        )

    return encode


def private_key_usage_period(parameters: Parameters) -> Encoder:
    """X.509 §9.2.2.5: the key signs for ``days`` from notBefore, but never past notAfter."""
    period = timedelta(days=parameters.integer("days", least=1, most=36600))

    def encode(context: ExtensionContext) -> bytes:
        end = min(context.not_before + period, context.not_after)
        return der.sequence(
            der.implicit(0, der.generalized_time(context.not_before)), der.implicit(1, der.generalized_time(end))
        )

    return encode


def ocsp_nocheck(_: Parameters) -> Encoder:
    """RFC 6960 §4.2.2.2.1: nobody need ask about this responder's own certificate."""
    return constant(der.NULL)


def _address(context: ExtensionContext, name: str) -> str:
    url = context.urls.get(name)
    if url is None:
        raise ConfigurationError(f"the issuer has no {name} address, which the profile writes into certificates")
    if fault := check_uri(url):
        raise ConfigurationError(f"the issuer's {name} address cannot be written: {fault}")
    return url
