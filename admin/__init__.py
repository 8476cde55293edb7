"""The site for staff, on Flask-Admin: the queue, the review, certificates, accounts, authorities, records, jobs."""

from __future__ import annotations

from flask import Flask
from flask_admin import Admin

from admin.accounts import AccountsView
from admin.audit import AuditView
from admin.authorities import AuthoritiesView
from admin.certificates import CertificatesView
from admin.guard import blueprint
from admin.jobs import JobsView
from admin.queue import QueueView
from admin.review import ReviewView
from crl.office import CrlOffice

__all__ = ["register"]


def register(site: Flask, *, crls: CrlOffice) -> None:
    """Put the staff's pages on the site, below ``/admin/``. Every view is guarded by :mod:`admin.guard`."""
    site.register_blueprint(blueprint)
    admin = Admin(site, name="Pechatnik", url="/admin", index_view=QueueView())
    for view in (
        ReviewView(),
        CertificatesView(),
        AccountsView(),
        AuthoritiesView(crls),
        AuditView(),
        JobsView(),
    ):
        admin.add_view(view)
