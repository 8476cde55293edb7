"""Certificate status on demand (RFC 6960, RFC 9919)."""
