"""What the cabinet and the admin site share: log-in, sessions, languages, headers, error pages, the base page."""

from web.site import SiteSettings, create_site

__all__ = ["SiteSettings", "create_site"]
