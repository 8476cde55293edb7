"""Trust anchors of others, from a folder that the configuration or a command names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ca_core.domain.errors import ConfigurationError, MalformedDer
from ca_core.validation.certificate import read_certificate
from ca_core.x509.bundle import certificates_of, pieces

LARGEST = 16 << 20
"""Octets of one file."""


def read_anchors(folder: Path) -> Sequence[bytes]:
    """DER of every certificate in the files ``*.pem`` of the folder. ConfigurationError for a folder without one, and
    for a file that cannot be read."""
    try:
        files = sorted(folder.glob("*.pem"))
        found = [der for file in files for der in _of_file(file)]
    except OSError as error:
        raise ConfigurationError(f"{folder}: the trust anchors cannot be read: {error.strerror}") from None
    if not found:
        raise ConfigurationError(f"{folder} holds no trust anchor: no file *.pem with a certificate")
    return found


def split_certificates(source: str, data: bytes) -> Sequence[bytes]:
    """DER of the certificates in a file of PEM blocks, or DER one after the other. MalformedDer for anything else."""
    found = []
    for piece in pieces(source, data):
        for _, one in certificates_of(piece):
            if isinstance(one, str):
                raise MalformedDer(f"{source}: {one}")
            found.append(read_certificate(one).dump())
    return found


def _of_file(file: Path) -> Sequence[bytes]:
    if file.stat().st_size > LARGEST:
        raise ConfigurationError(f"{file} is larger than {LARGEST} octets")
    try:
        return split_certificates(str(file), file.read_bytes())
    except MalformedDer as fault:
        raise ConfigurationError(fault.detail) from None
