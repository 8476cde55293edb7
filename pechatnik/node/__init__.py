"""A status node: answers for status apart from the core, with no key and no database (ADR 16)."""
