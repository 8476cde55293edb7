"""Handing mail over to a mail system."""
