"""``/livez``, ``/readyz``, ``/version`` and ``/metrics``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.services.ports import Clock
from ca_core.services.verification import faults_of
from pechatnik.program import Program
from pechatnik.readiness import Finding, examine

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


HEALTH_PATHS = ("/livez", "/readyz", "/version", "/metrics")
KEPT_FOR = timedelta(seconds=5)
"""How long the findings of ``/readyz`` are told again."""


class StateCollector(Collector):
    """Figures read from the database when they are asked for, so that every process tells the same."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def collect(self) -> Iterable[GaugeMetricFamily]:
        with self._program.transactions.read(SYSTEM_ACTOR) as tx:
            sequence, _ = tx.audit.head()
            oldest = tx.jobs.oldest_due()
            counts = self._program.counts(tx)
            late = (tx.now - oldest).total_seconds() if oldest else 0.0
            now = tx.now
        yield GaugeMetricFamily("pechatnik_audit_records", "Records in the audit chain", value=sequence)
        yield GaugeMetricFamily("pechatnik_oldest_due_job_seconds", "Lateness of the oldest due job", value=late)
        for kind, by_state in counts.items():
            family = GaugeMetricFamily(f"pechatnik_{kind}", f"{kind.capitalize()} by state", labels=["state"])
            for state, number in by_state.items():
                family.add_metric([state], number)
            yield family
        crls = GaugeMetricFamily("pechatnik_crl_next_update_seconds", "Seconds to nextUpdate", labels=["crl"])
        for crl in self._program.crls.overview():
            if crl.published is not None:
                crls.add_metric([crl.name], (crl.published.next_update - now).total_seconds())
        yield crls
        ends = GaugeMetricFamily("pechatnik_certificate_seconds_left", "Own certificates' time left", labels=["name"])
        for authority in self._program.services.authorities.list(SYSTEM_ACTOR):
            ends.add_metric([authority.name], (authority.not_after - now).total_seconds())
        yield ends
        newest = self._program.services.recheck.newest(SYSTEM_ACTOR)
        if newest is not None:
            age = (now - newest.at).total_seconds()
            yield GaugeMetricFamily("pechatnik_recheck_faults", "Found by the last re-check", value=faults_of(newest))
            yield GaugeMetricFamily("pechatnik_recheck_seconds", "Time since the last re-check", value=age)


class HealthApplication:
    """Never cached, no detail about anybody; ``/readyz`` names the checks, 503 when one fails."""

    def __init__(
        self,
        examine: Callable[[], Sequence[Finding]],
        *,
        collector: Collector | None,
        version: str,
        clock: Clock,
    ) -> None:
        """``examine`` runs the checks; without a ``collector`` there are no metrics."""
        self._examine = examine
        self._version = version
        self._clock = clock
        self._lock = Lock()
        self._found: tuple[datetime, Sequence[Finding]] | None = None
        self._registry: CollectorRegistry | None = None
        if collector is not None:
            self._registry = CollectorRegistry(auto_describe=False)
            self._registry.register(collector)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status, content_type, body = self._answer(environ["PATH_INFO"])
        headers = [("Content-Type", content_type), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
        start_response(status, headers)
        return [body]

    def _findings(self) -> Sequence[Finding]:
        """What was found within :data:`KEPT_FOR`: a check signs with every key, so nobody may ask for it at will."""
        now = self._clock()
        with self._lock:
            if self._found is None or not timedelta(0) <= now - self._found[0] < KEPT_FOR:
                self._found = (now, self._examine())
            return self._found[1]

    def _answer(self, path: str) -> tuple[str, str, bytes]:
        if path == "/livez":
            return _json("200 OK", {"status": "ok"})
        if path == "/version":
            return _json("200 OK", {"version": self._version})
        if path == "/readyz":
            findings = self._findings()
            ready = all(finding.ok for finding in findings)
            checks = {finding.name: {"ok": finding.ok, "detail": finding.detail} for finding in findings}
            return _json("200 OK" if ready else "503 Service Unavailable", {"ready": ready, "checks": checks})
        if path == "/metrics" and self._registry is not None:
            return "200 OK", CONTENT_TYPE_LATEST, generate_latest(self._registry)
        return _json("404 Not Found", {"error": "not found"})


def health_of(program: Program, *, version: str) -> HealthApplication:
    """Of the whole program."""
    collector = StateCollector(program) if program.config.server.metrics else None
    return HealthApplication(partial(examine, program), collector=collector, version=version, clock=program.clock)


def _json(status: str, document: object) -> tuple[str, str, bytes]:
    return status, "application/json", json.dumps(document).encode()
