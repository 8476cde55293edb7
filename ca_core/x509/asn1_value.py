"""Any extension value from data: a tree of tables, each with one key that names its ASN.1 type.

``{utf8="…"}``, ``printable``, ``ia5``, ``numeric``, ``integer``, ``boolean``, ``oid``, ``null=true``,
``octets_hex``; ``sequence=[…]`` and ``set=[…]`` of further nodes; ``integer_field``, ``utf8_field``,
``printable_field`` name a field of the certificate's context. So a pack needs no code for its own extensions.
"""

from __future__ import annotations

from collections.abc import Callable

from ca_core.domain.errors import InvalidInput, ProfileViolation
from ca_core.x509 import der
from ca_core.x509.extension_context import Encoder, ExtensionContext, constant
from ca_core.x509.extension_parameters import Parameters

_MAX_DEPTH = 8
_STRINGS: dict[str, Callable[[str], bytes]] = {
    "utf8": der.utf8_string,
    "printable": der.printable_string,
    "ia5": der.ia5_string,
    "numeric": der.numeric_string,
}
_STRING_FIELDS = {"utf8_field": der.utf8_string, "printable_field": der.printable_string}


def compile_value(node: Parameters, *, depth: int = 0) -> Encoder:
    """The encoder of one node; :class:`ConfigurationError` names the node and what is wrong with it.

    The encoder raises :class:`ProfileViolation` when the context lacks a field or the field does not fit its type.
    """
    if len(node.keys()) != 1:
        node.refuse(", ".join(node.keys()) or "value", "a node has exactly one key, which names its type")
    (kind,) = node.keys()
    if kind in ("sequence", "set"):
        if depth >= _MAX_DEPTH:
            node.refuse(kind, f"the value is nested deeper than {_MAX_DEPTH} levels")
        members = [compile_value(member, depth=depth + 1) for member in node.tables(kind)]
        return _collection(der.sequence if kind == "sequence" else der.set_of, members)
    if kind == "integer_field":
        return _integer_field(node.text(kind))
    if kind in _STRING_FIELDS:
        return _string_field(node.text(kind), _STRING_FIELDS[kind])
    return constant(_constant(node, kind))


def _constant(node: Parameters, kind: str) -> bytes:
    if kind in _STRINGS:
        try:
            return _STRINGS[kind](node.text(kind))
        except InvalidInput as fault:
            node.refuse(kind, fault.detail)
    if kind == "integer":
        return der.integer(node.integer(kind, least=-(1 << 63), most=(1 << 63) - 1))
    if kind == "boolean":
        return der.boolean(node.boolean(kind))
    if kind == "oid":
        return der.oid(node.oid(kind))
    if kind == "null":
        if not node.boolean(kind):
            node.refuse(kind, "it is written null = true")
        return der.NULL
    if kind != "octets_hex":
        node.refuse(kind, "there is no such type of value")
    try:
        return der.octet_string(bytes.fromhex(node.text(kind)))
    except ValueError:
        node.refuse(kind, "it is hexadecimal")


def _collection(write: Callable[..., bytes], members: list[Encoder]) -> Encoder:
    return lambda context: write(*(member(context) or b"" for member in members))


def _integer_field(name: str) -> Encoder:
    def encode(context: ExtensionContext) -> bytes:
        value = context.fields.get(name)
        if not isinstance(value, int):
            raise ProfileViolation(f"the profile needs the number {name!r}", fields={name: "a whole number is needed"})
        return der.integer(value)

    return encode


def _string_field(name: str, write: Callable[[str], bytes]) -> Encoder:
    def encode(context: ExtensionContext) -> bytes:
        value = context.fields.get(name)
        if not isinstance(value, str) or not value or not value.isprintable():
            raise ProfileViolation(f"the profile needs the text {name!r}", fields={name: "a printable text is needed"})
        try:
            return write(value)
        except InvalidInput as fault:
            raise ProfileViolation(f"the text {name!r} does not fit its type", fields={name: fault.detail}) from None

    return encode
