"""One WSGI application over everything: status first, since it is asked most; then health, API and the two sites."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

from admin import register as register_admin
from api import create_api
from api.app import MAX_BODY
from api.issuing import Issuing
from api.timestamps import PATH as TSA, TimestampApplication
from crl.wsgi import CrlApplication
from ocsp.http import ReadyResponses
from ocsp.wsgi import OcspApplication
from pechatnik import __version__
from pechatnik.bootstrap import build
from pechatnik.config import Config
from pechatnik.front import Front
from pechatnik.health import HEALTH_PATHS, health_of
from pechatnik.program import Program
from pechatnik.router import Router
from portal import register as register_portal
from web import SiteSettings, create_site, hosts

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def compose(program: Program) -> WSGIApplication:
    """The application over a built program."""
    config = program.config
    lists = CrlApplication(program.crls)
    health = health_of(program, version=__version__)
    served = served_names(config)
    api = create_api(
        program.services,
        crls=program.crls,
        feed=program.feed,
        version=__version__,
        max_upload=config.uploads.max_bytes,
        hosts=served,
    )
    site = create_site(
        program.services,
        SiteSettings(
            name=config.installation.name,
            environment=config.installation.environment,
            cookies_over_tls_only=config.server.cookies_over_tls_only,
            max_upload=config.uploads.max_bytes,
            csrf_key=program.site_key(),
            hosts=served,
        ),
    )
    register_portal(site)
    register_admin(site, crls=program.crls)
    routes: tuple[tuple[str, WSGIApplication], ...] = (
        ("/ocsp", OcspApplication(program.ocsp)),
        ("/crl", lists),
        ("/aia", lists),
        (
            TSA,
            TimestampApplication(
                program.services.timestamping,
                program.services.tokens if config.timestamps.ask_token else None,
                per_minute=config.timestamps.per_minute,
            ),
        ),
        ("/api", api),
        *((path, health) for path in HEALTH_PATHS),
    )
    router: WSGIApplication = Router(routes, site)
    if hops := config.server.trusted_proxies:
        router = ProxyFix(router, x_for=hops, x_proto=hops, x_host=hops)
    return router


def served_names(config: Config) -> Collection[str]:
    return hosts.names(config.server.public_url, config.server.hosts)


def front(config: Config) -> Front:
    """For a server process: the application, behind what reads requests."""
    program = build(config)
    return Front(
        compose(program),
        ready=None if program.ready is None else ReadyResponses(program.ready),
        issuing=Issuing(program.services.issuance, program.services.tokens, hosts=served_names(config)),
        threads=config.server.threads,
        body_limit=config.uploads.max_bytes + MAX_BODY,
        body_seconds=config.server.body_seconds,
    )
