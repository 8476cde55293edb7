"""Whether the authority can do its work now: the checks behind ``/readyz`` and ``pechatnik doctor``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import structlog

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.authority import Authority, AuthorityKind, AuthorityState, in_good_standing
from ca_core.domain.errors import CaError
from ca_core.keys.self_check import check_signer
from ca_core.services.verification import faults_of
from pechatnik.program import Program

log = structlog.get_logger("readiness")

CLOCK_TOLERANCE = timedelta(seconds=5)
"""How far the database's clock may be from ours."""
FREE_BYTES = 64 << 20
"""With less than this left on the disk nothing is taken on any more; `doctor` warns long before."""
QUEUE_TOLERANCE = timedelta(minutes=15)
"""How late the oldest due job may be."""
RECHECK_TOLERANCE = timedelta(days=2)
"""How old the last re-check may be where there is an authority."""
EXPIRES_SOON = timedelta(days=7)
"""An issuer\'s certificate nearer to its end than that is no sound one to issue under."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check and what it found."""

    name: str
    ok: bool
    detail: str


def examine(program: Program) -> list[Finding]:
    """Run every check; none of them changes anything but a counter of their own."""
    findings = []
    for name, check in CHECKS:
        try:
            findings += list(check(program))
        except CaError as error:
            findings.append(Finding(name=name, ok=False, detail=error.detail))
        except Exception as error:  # a check that breaks is a finding, whatever broke it
            log.exception("check failed", check=name)
            findings.append(Finding(name=name, ok=False, detail=f"the check itself failed: {type(error).__name__}"))
    return findings


def _database(program: Program) -> Iterator[Finding]:
    differences = program.schema_differences()
    yield Finding(
        name="database",
        ok=not differences,
        detail="reachable, schema up to date" if not differences else "run: pechatnik db upgrade",
    )


def _storage(program: Program) -> Iterator[Finding]:
    # What is rolled back never reaches the disk: only a commit shows that one is possible, and SQLite may still have
    # room for a small one in its log when nothing else has.
    program.write()
    free = program.free_space()
    room = f"{free >> 20} MiB free"
    enough = free >= FREE_BYTES
    yield Finding(name="storage", ok=enough, detail=f"takes writes, {room}" if enough else f"only {room}; make room")


def _clock(program: Program) -> Iterator[Finding]:
    drift = abs(program.database_clock() - program.clock())
    yield Finding(
        name="clock", ok=drift < CLOCK_TOLERANCE, detail=f"{drift.total_seconds():.1f} s from the database's clock"
    )


def _keys(program: Program) -> Iterator[Finding]:
    for authority in _active(program):
        try:
            check_signer(program.keys.signer(authority.key_reference, authority.signature_algorithm))
            yield Finding(name=f"key {authority.name}", ok=True, detail="signs and verifies")
        except CaError as error:
            yield Finding(name=f"key {authority.name}", ok=False, detail=error.detail)


def _own_certificates(program: Program) -> Iterator[Finding]:
    now = program.clock()
    for authority in _active(program):
        left = authority.not_after - now
        enough = left > EXPIRES_SOON or (authority.kind is AuthorityKind.OCSP_RESPONDER and left > timedelta(days=1))
        yield Finding(name=f"certificate {authority.name}", ok=enough, detail=f"{left.days} days left")


def _crls(program: Program) -> Iterator[Finding]:
    now = program.clock()
    for crl in program.crls.overview():
        current = crl.published
        if current is None:
            yield Finding(name=f"crl {crl.name}", ok=False, detail="never issued; run: pechatnik crl issue")
            continue
        left = current.next_update - now
        yield Finding(
            name=f"crl {crl.name}",
            ok=left > timedelta(0),
            detail=f"number {current.number}, {current.entries} entries, next update in {_whole(left)}"
            if left > timedelta(0)
            else "out of date; is a worker running?",
        )


def _queue(program: Program) -> Iterator[Finding]:
    with program.transactions.read(SYSTEM_ACTOR) as tx:
        oldest = tx.jobs.oldest_due()
        late = tx.now - oldest if oldest else timedelta(0)
    yield Finding(
        name="queue",
        ok=late < QUEUE_TOLERANCE,
        detail="no job waits too long"
        if late < QUEUE_TOLERANCE
        else f"a job waits for {_whole(late)}; is a worker running?",
    )


def _whole(time: timedelta) -> timedelta:
    """To the second, for people."""
    return timedelta(seconds=int(time.total_seconds()))


def _record(program: Program) -> Iterator[Finding]:
    seal = program.services.audit.last_seal(SYSTEM_ACTOR)
    detail = "not sealed yet" if seal is None else f"ends at or after the last seal, over record {seal.sequence}"
    yield Finding(name="audit chain", ok=True, detail=detail)


def _recheck(program: Program) -> Iterator[Finding]:
    newest = program.services.recheck.newest(SYSTEM_ACTOR)
    with program.transactions.read(SYSTEM_ACTOR) as tx:
        oldest = min((one.created_at for one in tx.authorities.all()), default=tx.now)
        now = tx.now
    since = oldest if newest is None else newest.at
    faults = 0 if newest is None else faults_of(newest)
    if faults:
        detail = f"{faults} found at {since.isoformat(timespec='minutes')}; run: pechatnik audit verify"
    elif now - since > RECHECK_TOLERANCE:
        detail = f"none since {since.isoformat(timespec='minutes')}; is a worker running?"
    else:
        detail = "none was due yet" if newest is None else f"no faults at {since.isoformat(timespec='minutes')}"
    yield Finding(name="recheck", ok=not faults and now - since <= RECHECK_TOLERANCE, detail=detail)


def _active(program: Program) -> list[Authority]:
    with program.transactions.read(SYSTEM_ACTOR) as tx:
        return [one for one in tx.authorities.all() if one.state is AuthorityState.ACTIVE]


def _initialised(program: Program) -> Iterator[Finding]:
    with program.transactions.read(SYSTEM_ACTOR) as tx:
        everyone = tx.authorities.all()
    issuing = [one for one in everyone if one.kind is AuthorityKind.ISSUING]
    names = [one.name for one in everyone if in_good_standing(one, everyone)]
    able = any(one.name in names for one in issuing)
    otherwise = "none can issue: revoked or retired" if issuing else "none yet; run: pechatnik ca init"
    yield Finding(name="authorities", ok=able, detail=", ".join(names) if able else otherwise)


CHECKS: tuple[tuple[str, Callable[[Program], Iterator[Finding]]], ...] = (
    ("database", _database),
    ("storage", _storage),
    ("clock", _clock),
    ("authorities", _initialised),
    ("keys", _keys),
    ("certificates", _own_certificates),
    ("crls", _crls),
    ("queue", _queue),
    ("audit chain", _record),
    ("recheck", _recheck),
)
