"""Why a certificate was held, released or revoked, in the words of whoever did it.

Words may tell of persons: they stand beside the certificate, and the audit has their digest."""

from __future__ import annotations

from collections.abc import Mapping

from ca_core.domain.access import Actor, Role
from ca_core.domain.audit import said
from ca_core.domain.certificate import Certificate, Ground
from ca_core.domain.errors import InvalidInput
from ca_core.services.ports import Transaction
from ca_core.services.review import checked_note
from ca_core.x509.name import INVISIBLE

LONGEST = 500
"""Characters."""


def checked_ground(actor: Actor, words: str) -> str:
    """The words as they are kept. InvalidInput for too many, and from staff for no letter or digit that shows;
    subscribers need not say why."""
    ground = checked_note(words)
    if actor.roles - {Role.SUBSCRIBER} and not any(one.isalnum() for one in INVISIBLE.sub("", ground)):
        raise InvalidInput("say why", fields={"because": "whoever reads the record needs the reason"})
    if len(ground) > LONGEST:
        sentence = f"say it in at most {LONGEST} characters"
        raise InvalidInput(sentence, fields={"because": sentence})
    return ground


def keep_ground(tx: Transaction, certificate: Certificate, action: str, words: str) -> Mapping[str, str]:
    """Keep what was said of this change, if anything was; what the record says of it."""
    if not words:
        return {}
    ground = Ground(id=tx.new_id(), certificate=certificate.id, action=action, by=tx.actor.name, at=tx.now, words=words)
    tx.certificates.add_ground(ground)
    return {"ground": str(ground.id), "words": said(words)}
