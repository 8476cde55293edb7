"""What a status node serves: OCSP, lists, issuers' certificates and health, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from werkzeug.exceptions import NotFound

from crl.wsgi import CrlApplication
from ocsp.wsgi import OcspApplication
from pechatnik import __version__
from pechatnik.config import Config
from pechatnik.front import STATUS_BODY, Front
from pechatnik.health import HEALTH_PATHS, HealthApplication
from pechatnik.node.forwarding import THREADS, ForwardingResponder
from pechatnik.node.freshness import FreshResponses
from pechatnik.node.node import StatusNode, build, uptime
from pechatnik.router import Router

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class NodeCollector(Collector):
    """How old the copy is, and how much is in it."""

    def __init__(self, node: StatusNode) -> None:
        self._node = node

    def collect(self) -> Iterable[GaugeMetricFamily]:
        age = self._node.freshness.age()
        if age is not None:
            yield GaugeMetricFamily("pechatnik_node_lag_seconds", "Time since the core was heard", value=age)
        answers = sum(self._node.replica.counts().values())
        yield GaugeMetricFamily("pechatnik_node_answers", "Answers that stand ready", value=answers)


def front(config: Config) -> Front:
    """For a server process of a node."""
    node = build(config)
    lists = CrlApplication(node.lists)
    health = HealthApplication(
        node.findings,
        collector=NodeCollector(node) if config.server.metrics else None,
        version=__version__,
        clock=node.clock,
    )
    routes: tuple[tuple[str, WSGIApplication], ...] = (
        ("/ocsp", OcspApplication(ForwardingResponder(node.core, node.ready, node.freshness, uptime=uptime))),
        ("/crl", lists),
        ("/aia", lists),
        *((path, health) for path in HEALTH_PATHS),
    )
    return Front(
        Router(routes, NotFound()),
        ready=FreshResponses(node.ready, node.freshness),
        threads=1,
        status_threads=THREADS,
        body_limit=STATUS_BODY,
        body_seconds=config.server.body_seconds,
    )
