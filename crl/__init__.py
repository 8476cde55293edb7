"""Revocation lists: building, signing, publishing (RFC 5280 §5)."""
