"""Path validation by pyhanko-certvalidator, with our own search for paths, limits and rules around it (ADR 17)."""
