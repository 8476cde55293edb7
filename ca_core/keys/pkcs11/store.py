"""Signing keys on a PKCS#11 token: found by label, never leaving it, used through a pool of sessions."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar, cast

from pkcs11 import (
    Attribute,
    AttributeTypeInvalid,
    AttributeValueInvalid,
    DataLenRange,
    Key,
    KeySizeRange,
    KeyTypeInconsistent,
    MechanismFlag,
    MechanismInvalid,
    MechanismParamInvalid,
    MultipleObjectsReturned,
    NoSuchToken,
    ObjectClass,
    PKCS11Error,
    Session,
    TemplateInconsistent,
    TokenWriteProtected,
)
from pkcs11.types import SignMixin

from ca_core.domain.algorithms import DEFAULT_SIGNATURE, KeyAlgorithm, SignatureAlgorithm
from ca_core.domain.errors import ConfigurationError, Duplicate, InvalidInput, KeyMissing, KeyUnavailable
from ca_core.keys.pkcs11.login import Login
from ca_core.keys.pkcs11.mechanism import generation, public_key_info, sign
from ca_core.keys.pkcs11.module import RESTART_INTERVAL, load_module
from ca_core.keys.pkcs11.sessions import PooledSession, SessionPool
from ca_core.keys.reference import check_fit, check_reference
from ca_core.keys.secrets_source import Secret
from ca_core.keys.self_check import check_signer
from ca_core.x509.algorithm import key_algorithm_of, signature_algorithm_identifier

T = TypeVar("T")

# What stays as it is however often one asks.
_FINAL = (
    AttributeTypeInvalid,
    AttributeValueInvalid,
    DataLenRange,
    KeySizeRange,
    KeyTypeInconsistent,
    MechanismInvalid,
    MechanismParamInvalid,
    MultipleObjectsReturned,
    TemplateInconsistent,
    TokenWriteProtected,
)


class Pkcs11KeyStore:
    """Keys on one token; a reference is a label. Thread-safe. To be made in the process that uses it, after any fork.

    When the token or its sessions went away, the library is restarted, the login repeated and the call tried once
    more; after that, and for some seconds in which no new restart is due, it is :class:`KeyUnavailable`.
    """

    def __init__(
        self,
        module: Path,
        *,
        label: str | None = None,
        serial: str | None = None,
        pin: Secret,
        max_sessions: int = 8,
        restart_interval: float = RESTART_INTERVAL,
    ) -> None:
        """``module`` is the library; the token is chosen by ``label``, ``serial`` number or both.

        ``pin`` is asked for at each login. :class:`ConfigurationError` when the library cannot be loaded or no
        token is named. The token itself is looked for when it is first used.
        """
        if not label and not serial:
            raise ConfigurationError("name the PKCS#11 token by its label or its serial number")
        self._module = load_module(module)
        self._max_sessions = max_sessions
        self._sessions = SessionPool(
            self._module, label=label, serial=serial, login=Login(pin), max_sessions=max_sessions
        )
        self._restart_interval = restart_interval
        self._public: dict[str, bytes] = {}
        self._generating = Lock()

    def generate(self, reference: str, algorithm: KeyAlgorithm) -> bytes:
        """Make a key that cannot leave the token; returns its SubjectPublicKeyInfo.

        :class:`Duplicate` when the label is taken, :class:`InvalidInput` when the token makes no such keys.
        """
        check_reference(reference)
        with self._generating:
            self.run(lambda pooled: _generate(pooled.session, reference, algorithm))
        # A key that the token makes and then cannot find or use must not get a certificate.
        signer = self.signer(reference, DEFAULT_SIGNATURE[algorithm])
        check_signer(signer)
        return signer.public_key_info

    def take_in(self, reference: str, pem: bytes, passphrase: bytes | None, *, public_key_info: bytes) -> None:
        """:class:`InvalidInput` always: a token's own tools bring keys in, under whatever ceremony it asks for."""
        raise InvalidInput("bring the key into the token with its own tools, then name its label")

    def signer(self, reference: str, algorithm: SignatureAlgorithm) -> Pkcs11Signer:
        """The key labelled ``reference``, signing with ``algorithm``.

        :class:`KeyMissing` when the token has no such key, :class:`KeyUnavailable` when the token cannot be used,
        :class:`InvalidInput` when the key cannot make that signature.
        """
        check_reference(reference)
        public = self._public.get(reference)
        if public is None:
            public = self._public[reference] = self.run(lambda pooled: _found(pooled.session, reference))
        check_fit(reference, key_algorithm_of(public), algorithm)
        return Pkcs11Signer(
            store=self,
            reference=reference,
            algorithm=algorithm,
            algorithm_identifier=signature_algorithm_identifier(algorithm),
            public_key_info=public,
            parallel=self._max_sessions,
        )

    def references(self) -> Sequence[str]:
        """The labels of all private keys on the token, sorted."""

        def labels(pooled: PooledSession) -> list[str]:
            found = pooled.session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})
            return sorted({str(key[Attribute.LABEL]) for key in found})

        return self.run(labels)

    def run(self, work: Callable[[PooledSession], T]) -> T:
        """What ``work`` returns on a logged-in session; tried once more after the token went away."""
        for again in (True, False):
            with self._module.in_use() as seen:
                try:
                    with self._sessions.session(seen) as pooled:
                        return work(pooled)
                except _FINAL as error:
                    raise KeyUnavailable(f"the token cannot do this with its key: {_named(error)}") from None
                except PKCS11Error as error:
                    failure = KeyUnavailable(f"the token does not answer as it should: {_named(error)}")
            if not (again and self._module.restart(seen, interval=self._restart_interval)):
                break
        raise failure


@dataclass(frozen=True, kw_only=True)
class Pkcs11Signer:
    """A private key on a token. Thread-safe."""

    store: Pkcs11KeyStore
    reference: str
    algorithm: SignatureAlgorithm
    algorithm_identifier: bytes
    """DER AlgorithmIdentifier."""
    public_key_info: bytes
    """DER SubjectPublicKeyInfo."""
    parallel: int
    """Sessions with the token."""

    def sign(self, data: bytes) -> bytes:
        """The signature value; :class:`KeyUnavailable` when the token cannot be used."""
        return self.store.run(
            lambda pooled: sign(cast(SignMixin, pooled.private_key(self.reference)), self.algorithm, data)
        )


def _generate(session: Session, reference: str, algorithm: KeyAlgorithm) -> None:
    kind, mechanism, size_or_curve = generation(algorithm)
    token = session.token
    if mechanism not in token.slot.get_mechanisms():
        raise InvalidInput(f"the token {token.label} makes no keys of the kind {algorithm.value}")
    for object_class in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY):
        if any(session.get_objects({Attribute.CLASS: object_class, Attribute.LABEL: reference})):
            raise Duplicate(f"the token {token.label} has a key {reference} already, and it is not overwritten")
    options: dict[str, Any] = {
        "id": secrets.token_bytes(16),
        "label": reference,
        "store": True,
        "capabilities": MechanismFlag.SIGN | MechanismFlag.VERIFY,
        "mechanism": mechanism,
        "private_template": {
            Attribute.PRIVATE: True,
            Attribute.SENSITIVE: True,
            Attribute.EXTRACTABLE: False,
        },
    }
    with token.open(rw=True) as writing:
        if isinstance(size_or_curve, int):
            writing.generate_keypair(kind, size_or_curve, **options)
        else:
            curve = writing.create_domain_parameters(kind, {Attribute.EC_PARAMS: size_or_curve}, local=True)
            curve.generate_keypair(**options)


def _found(session: Session, reference: str) -> bytes:
    """The SubjectPublicKeyInfo of the one key pair with that label."""
    for object_class, name in ((ObjectClass.PRIVATE_KEY, "private"), (ObjectClass.PUBLIC_KEY, "public")):
        objects = list(session.get_objects({Attribute.CLASS: object_class, Attribute.LABEL: reference}))
        if not objects:
            raise KeyMissing(f"the token {session.token.label} has no {name} key labelled {reference}")
        if len(objects) > 1:
            raise ConfigurationError(
                f"the token {session.token.label} has several {name} keys labelled {reference}; relabel all but one"
            )
    return public_key_info(cast(Key, objects[0]))


def _named(error: PKCS11Error) -> str:
    return str(error) if isinstance(error, NoSuchToken) or type(error) is PKCS11Error else type(error).__name__
