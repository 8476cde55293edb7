"""Configuration: one TOML file, then ``PECHATNIK_SECTION__KEY`` from the environment. Unknown keys are errors.

Secrets are named by file or environment variable and never written here themselves.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_origin
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from ca_core.domain.errors import ConfigurationError, InvalidInput
from ca_core.domain.path_validation import RevocationChecking, ValidationLimits, ValidationPolicy
from ca_core.domain.profile import Environment
from ca_core.packs.source import first_fault
from ca_core.x509.der import oid
from ca_core.x509.general_name import check_uri

PREFIX = "PECHATNIK_"


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Installation(Section):
    """What this installation is."""

    name: str = "Pechatnik"
    environment: Environment = Environment.PRODUCTION
    data: Path = Path("var")
    """Directory of keys, documents and published lists; relative to the configuration file."""


class Database(Section):
    url: str = ""
    """SQLAlchemy URL; empty means SQLite in the data directory. Put a password into ``password_file``."""
    password_file: Path | None = None
    synchronous: Literal["FULL", "NORMAL"] = "FULL"
    """SQLite only."""


class Secrets(Section):
    """The passphrase that unlocks software keys, document keys and audit keys."""

    passphrase_file: Path | None = None
    passphrase_variable: str | None = None


class Pkcs11(Section):
    module: Path = Path("/usr/lib/softhsm/libsofthsm2.so")
    token: str = ""
    pin_file: Path | None = None
    pin_variable: str | None = None
    sessions: int = Field(default=8, ge=1, le=256)


class Keys(Section):
    store: Literal["software", "pkcs11"] = "software"
    pkcs11: Pkcs11 = Pkcs11()
    weak_key_lists: tuple[Path, ...] = ()
    """Lists of known weak keys in the format of Debian's openssl-blacklist."""


class Server(Section):
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=1, le=65535)
    public_url: str = "http://127.0.0.1:8080"
    """What goes into certificates as the base of CRL, OCSP and AIA addresses."""
    hosts: tuple[str, ...] = ()
    """Names under which sites and API are served beside that of ``public_url`` and this machine itself."""
    trusted_proxies: int = Field(default=0, ge=0, le=8)
    """How many reverse proxies set X-Forwarded-*; 0 means none is believed."""
    processes: int = Field(default=1, ge=1, le=64)
    """Processes that answer; each has its own threads and counts its own rate limits."""
    threads: int = Field(default=8, ge=1, le=128)
    body_seconds: int = Field(default=20, ge=1, le=600)
    """How long a request's body may take to arrive."""
    cookies_over_tls_only: bool = True
    metrics: bool = True
    worker: bool = True
    """Whether ``serve`` also runs a worker."""

    @field_validator("public_url")
    @classmethod
    def _base_of_addresses(cls, url: str) -> str:
        if fault := check_uri(url):
            raise ValueError(fault)
        if not url.startswith("http://"):
            # No certificate could be issued under another: behind TLS, status would need status (RFC 5280 §8).
            raise ValueError("lists and status are fetched over plain http; a proxy may serve the sites over https")
        if set("?#@") & set(url):
            raise ValueError("paths are put behind it, so it has neither user nor query nor fragment")
        return url


class Plugins(Section):
    enabled: tuple[str, ...] = ("counterparties.identifiers",)


class Packs(Section):
    directories: tuple[Path, ...] = ()
    """Folders of packs beside the shipped ones."""
    shipped: tuple[str, ...] = ("private", "ru-63fz", "eu-eidas")


class Uploads(Section):
    max_bytes: int = Field(default=20 * 1024 * 1024, ge=1024, le=200 * 1024 * 1024)
    max_pages: int = Field(default=100, ge=1, le=2000)
    clamd: str = ""
    """``unix:/path`` or ``host:port``; empty means no malware scanner."""
    clamd_fail_closed: bool = True


class Mail(Section):
    host: str = ""
    """SMTP relay; empty means that notices wait in the queue of the cabinet only."""
    port: int = Field(default=25, ge=1, le=65535)
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: str = ""
    password_file: Path | None = None
    sender: str = "pechatnik@localhost"


class Status(Section):
    crl_days: int = Field(default=7, ge=1, le=397)
    crl_rebuild_hours: int = Field(default=24, ge=1, le=24 * 90)
    crl_delta_hours: int = Field(default=0, ge=0, le=24 * 90)
    """How long a delta list lasts; 0 makes none, and each change a new full list."""
    ocsp_minutes: int = Field(default=60, ge=5, le=60 * 24 * 7)
    """How long an answer lasts that is signed when somebody asks, and how long HTTP caches may keep any."""
    presign: bool | None = None
    """Sign answers before anybody asks. Unless it is said, only with SQLite: a database that several machines use would
    have several stores of answers, and a change is told to the one of its own machine alone."""
    presigned_hours: int = Field(default=96, ge=1, le=24 * 14)
    """How long such an answer lasts; it is made again when between half and three quarters are gone."""
    presigned_digests: tuple[Literal["sha1", "sha256"], ...] = ("sha1", "sha256")
    """Digests of the CertIDs that are answered so."""
    unknown_serial: Literal["unknown", "revoked", "unauthorized"] = "unknown"
    unknown_issuer: Literal["unauthorized", "unknown"] = "unauthorized"
    archive_days: int | None = Field(default=None, ge=1, le=36_500)
    """For how many days after its end the status of a certificate is vouched for (archive cutoff); unless it is said,
    nothing is said of that."""

    @property
    def archive(self) -> timedelta | None:
        return None if self.archive_days is None else timedelta(days=self.archive_days)


class Timestamps(Section):
    policies: tuple[str, ...] = ()
    """OIDs of the policies that tokens may state, the default first; empty means those of the pack."""
    accuracy_ms: int = Field(default=1000, ge=1, le=3_600_000)
    """What tokens state; when clocks disagree by more, none is issued."""
    ordering: bool = False
    """Whether every token has a genTime of its own, by which tokens are ordered."""
    ask_token: bool = False
    """Whether ``/tsa`` asks for an API token with the right ``timestamp.issue``."""
    per_minute: int = Field(default=0, ge=0)
    """Tokens for one source address in a minute, counted by each process; 0 means as many as it likes."""

    @field_validator("policies")
    @classmethod
    def _object_identifiers(cls, policies: tuple[str, ...]) -> tuple[str, ...]:
        for policy in policies:
            try:
                oid(policy)
            except InvalidInput as fault:
                raise ValueError(fault.detail) from None
        return policies


class Node(Section):
    """Of a status node, which answers for status apart from the core."""

    core_url: str = ""
    """Where the core is reached: https, or a port of this machine. Empty: this is no status node."""
    token_file: Path | None = None
    """Holds an API token with the right ``status.follow``."""
    ca_file: Path | None = None
    """Roots that the core's https is trusted by, in PEM, instead of the system's."""
    lag_seconds: int = Field(default=30, ge=3, le=24 * 60 * 60)
    """How long answers are given after the core was heard for the last time: so long a revocation may be hidden."""

    @field_validator("core_url")
    @classmethod
    def _guarded(cls, url: str) -> str:
        if not url:
            return url
        parts = urlsplit(url)
        here = parts.hostname in ("127.0.0.1", "::1", "localhost")
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.username is not None:
            raise ValueError("is an address such as https://core.example.org")
        if parts.scheme == "http" and not here:
            raise ValueError("the token would go to another machine in the clear; use https")
        return url

    @model_validator(mode="after")
    def _has_a_token(self) -> Self:
        if self.core_url and self.token_file is None:
            raise ValueError("token_file: is missing; the core asks for a token")
        return self


class Validation(Section):
    """Of certificates, ours and anybody's."""

    anchors: Path | None = None
    """Folder of trust anchors of others: each certificate in its files ``*.pem``."""
    revocation: RevocationChecking = RevocationChecking.HARD
    """What is made of a certificate of which nobody says whether it is revoked, unless the question says it."""
    freshness_hours: int = Field(default=0, ge=0, le=24 * 397)
    """How old revocation data may be; 0: as old as its nextUpdate lets it become."""
    hold_is_revoked: bool = True
    fetch: bool = False
    """Whether lists and OCSP answers are fetched from where certificates of others say."""
    fetch_ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = (80, 443)
    fetch_seconds: int = Field(default=5, ge=1, le=60)
    """For one answer, whole."""
    fetch_max_bytes: int = Field(default=8 * 1024 * 1024, ge=1024, le=256 * 1024 * 1024)
    """Of a list."""
    max_fetches: int = Field(default=16, ge=0, le=256)
    max_chain: int = Field(default=12, ge=2, le=64)
    max_candidates: int = Field(default=2_000, ge=1, le=100_000)
    """Certificates that may come with the one in question."""
    max_steps: int = Field(default=10_000, ge=1, le=10_000_000)
    """Issuers that are looked at while a path is built."""
    max_paths: int = Field(default=32, ge=1, le=10_000)
    max_seconds: int = Field(default=10, ge=1, le=600)
    """For one verdict; what is being fetched then is waited for."""

    @property
    def limits(self) -> ValidationLimits:
        return ValidationLimits(
            chain=self.max_chain,
            candidates=self.max_candidates,
            steps=self.max_steps,
            paths=self.max_paths,
            seconds=self.max_seconds,
            fetches=self.max_fetches,
        )

    @property
    def policy(self) -> ValidationPolicy:
        return ValidationPolicy(
            revocation=self.revocation,
            freshness=timedelta(hours=self.freshness_hours) if self.freshness_hours else None,
            hold_is_revoked=self.hold_is_revoked,
        )


class Desk(Section):
    claim_minutes: int = Field(default=30, ge=1, le=24 * 60)
    open_days: int = Field(default=90, ge=1, le=3650)
    """Days after which a draft or an unused approval expires."""


class Revocation(Section):
    cap: int = Field(default=250_000, ge=1)
    """Certificates of one mass revocation at most."""


class Config(BaseSettings):
    """The whole configuration, checked."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, env_parse_none_str=""
    )

    installation: Installation = Installation()
    database: Database = Database()
    secrets: Secrets = Secrets()
    keys: Keys = Keys()
    server: Server = Server()
    plugins: Plugins = Plugins()
    packs: Packs = Packs()
    uploads: Uploads = Uploads()
    mail: Mail = Mail()
    status: Status = Status()
    desk: Desk = Desk()
    revocation: Revocation = Revocation()
    node: Node = Node()
    timestamps: Timestamps = Timestamps()
    validation: Validation = Validation()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment overrides the file, which comes in as arguments."""
        return env_settings, init_settings

    @model_validator(mode="after")
    def _names_its_address(self) -> Self:
        # The default goes into every certificate for its life, and leads nowhere but to the reader's own machine.
        production = self.installation.environment is Environment.PRODUCTION
        if production and not self.node.core_url and "public_url" not in self.server.model_fields_set:
            raise ValueError("server.public_url: is missing; a production installation names its own address")
        return self

    @property
    def data(self) -> Path:
        return self.installation.data

    @property
    def database_url(self) -> str:
        return self.database.url or f"sqlite:///{self.data / 'pechatnik.sqlite'}"

    @property
    def presigns(self) -> bool:
        """Whether OCSP answers are signed before anybody asks; see :attr:`Status.presign`."""
        if self.status.presign is not None:
            return self.status.presign
        return self.database_url.startswith("sqlite")


def load(path: Path, environment: Mapping[str, str] | None = None) -> Config:
    """Read and check; ConfigurationError names the file, the key and the reason.

    Relative paths in the file are relative to the file."""
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"no configuration at {path}; make one with 'pechatnik quickstart', or name it with --config"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path}: not valid TOML: {error}") from None
    variables = os.environ if environment is None else environment
    _refuse_unknown_variables(variables)
    try:
        config = Config(**raw)
    except ValidationError as error:
        origin = _variable(variables, error.errors()[0]["loc"]) or path
        raise ConfigurationError(f"{origin}: {first_fault(error)}") from None
    except SettingsError:
        raise ConfigurationError(
            f"environment variable {_not_json(variables)}: is not JSON; lists and tables are written there in JSON"
        ) from None
    return _anchored(config, path.resolve().parent)


def _variable(environment: Mapping[str, str], location: tuple[int | str, ...]) -> str | None:
    """The environment variable that the value at that place comes from, if one does."""
    names = {name.upper(): name for name in environment}
    steps = [str(step).upper() for step in location]
    candidates = (PREFIX + "__".join(steps[:length]) for length in range(len(steps), 0, -1))
    return next((f"environment variable {names[name]}" for name in candidates if name in names), None)


def _not_json(environment: Mapping[str, str]) -> str:
    """The first variable that holds a list or a table (or a name that leads to one), and not as JSON."""
    for name, value in sorted(environment.items()):
        kind: Any = Config
        for step in name.upper().removeprefix(PREFIX).lower().split("__"):
            known = kind.model_fields.get(step) if isinstance(kind, type) and issubclass(kind, BaseModel) else None
            kind = None if known is None else known.annotation
        if get_origin(kind) is tuple or (isinstance(kind, type) and issubclass(kind, Section)):
            try:
                json.loads(value)
            except ValueError:
                return name
    return f"{PREFIX}*"


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    for name in environment:
        if not name.startswith(PREFIX) or "__" not in name:
            continue
        section, key = name.removeprefix(PREFIX).lower().split("__", 1)
        field = Config.model_fields.get(section)
        known = field.annotation.model_fields if field and issubclass(field.annotation, Section) else {}  # type: ignore[arg-type, union-attr]
        if key.split("__")[0] not in known:
            raise ConfigurationError(f"environment variable {name}: there is no such setting {section}.{key}")


def _anchored(config: Config, base: Path) -> Config:
    """The configuration with every relative path made absolute."""

    def fix(value: Any) -> Any:
        if isinstance(value, Path):
            return value if value.is_absolute() else base / value
        if isinstance(value, tuple):
            return tuple(fix(item) for item in value)
        if isinstance(value, Section):
            changes = {name: fix(getattr(value, name)) for name in type(value).model_fields}
            return value.model_copy(update=changes)
        return value

    return config.model_copy(update={name: fix(getattr(config, name)) for name in Config.model_fields})
