"""The adapters that the configuration chooses: database, keys, scanner, mail."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, make_url

from ca_core.documents.malware import ClamdScanner
from ca_core.domain.errors import ConfigurationError, KeyMissing
from ca_core.domain.identifiers import Entropy
from ca_core.keys.secrets_source import Secret, read_secret
from ca_core.keys.software import SoftwareKeyStore
from ca_core.keys.vault_key import SymmetricKeyStore
from ca_core.mail.smtp import SmtpMailer
from ca_core.outbound.public_client import PublicClient
from ca_core.services.ports import Clock, KeyStore
from ca_core.storage import schema
from ca_core.storage.engine import engine_for
from ca_core.validation.anchors import read_anchors
from ca_core.validation.fetched import FetchedStatus
from ca_core.validation.validator import PathValidator
from pechatnik.config import Config

SYMMETRIC_PURPOSES = ("audit", "documents", "account", "site")
"""What the installation has symmetric keys for; made at the first start."""


def engine_of(config: Config) -> Engine:
    """The engine that the configuration names."""
    if not config.data.is_dir():
        raise ConfigurationError(f"there is no directory {config.data} yet; run: pechatnik db upgrade")
    url = make_url(config.database_url)
    if config.database.password_file is not None:
        password = read_secret(file=config.database.password_file, variable=None, environment={})
        url = url.set(password=password.decode())
    return engine_for(url.render_as_string(hide_password=False), synchronous=config.database.synchronous)


def make_data_directory(config: Config) -> None:
    """The directory of keys, documents and the embedded database, for this user alone."""
    try:
        config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{config.data} cannot be made: {error.strerror}") from None


def passphrase_of(config: Config) -> Secret:
    """Read when a key is opened, and not before."""
    return partial(
        read_secret,
        file=config.secrets.passphrase_file,
        variable=config.secrets.passphrase_variable,
        environment=os.environ,
    )


def make_missing_keys(symmetric: SymmetricKeyStore, folder: Path, engine: Engine) -> None:
    """New keys for a new installation. One with records has keys: without them the audit chain would go on under
    another one, and nothing that is sealed could be opened."""
    for purpose in SYMMETRIC_PURPOSES:
        try:
            symmetric.current(purpose)
        except KeyMissing:
            if purpose == "audit" and schema.has_records(engine):
                raise ConfigurationError(
                    f"the keys of this installation are not in {folder}: is the disk mounted? "
                    "Otherwise restore them from a backup"
                ) from None
            symmetric.create(purpose)


def key_store_of(config: Config, passphrase: Secret, entropy: Entropy) -> KeyStore:
    """Where the signing keys are: in sealed files, or in a token."""
    if config.keys.store == "software":
        return SoftwareKeyStore(config.data / "keys" / "signing", passphrase, entropy=entropy)
    from ca_core.keys.pkcs11 import Pkcs11KeyStore

    token = config.keys.pkcs11
    pin = partial(
        read_secret,
        file=token.pin_file,
        variable=token.pin_variable,
        environment=os.environ,
    )
    return Pkcs11KeyStore(token.module, label=token.token, pin=pin, max_sessions=token.sessions)


def scanner_of(config: Config) -> ClamdScanner | None:
    """None where uploads are not scanned for malware."""
    address = config.uploads.clamd
    if not address:
        return None
    fail_closed = config.uploads.clamd_fail_closed
    if address.startswith("unix:"):
        return ClamdScanner(Path(address.removeprefix("unix:")), fail_closed=fail_closed)
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ConfigurationError(f"uploads.clamd: {address!r} is neither unix:/path nor host:port")
    return ClamdScanner((host, int(port)), fail_closed=fail_closed)


def path_validator_of(config: Config, monotonic: Callable[[], float]) -> PathValidator:
    """The judge of certificates; it asks others for status only where the configuration says so."""
    section = config.validation
    fetched = None
    if section.fetch:
        client = PublicClient(section.fetch_ports, seconds=section.fetch_seconds)
        fetched = FetchedStatus(client, most_list=section.fetch_max_bytes)
    return PathValidator(limits=section.limits, monotonic=monotonic, fetched=fetched)


def anchors_of(config: Config) -> Sequence[bytes]:
    """DER of the trust anchors of others that the configuration names."""
    return () if config.validation.anchors is None else read_anchors(config.validation.anchors)


def mailer_of(config: Config, clock: Clock) -> SmtpMailer | None:
    """None where no letters are sent."""
    mail = config.mail
    if not mail.host:
        return None
    password = None
    if mail.password_file is not None:
        password = read_secret(file=mail.password_file, variable=None, environment={}).decode()
    return SmtpMailer(
        host=mail.host,
        port=mail.port,
        security=mail.security,
        username=mail.username or None,
        password=password,
        sender=mail.sender,
        clock=clock,
    )
