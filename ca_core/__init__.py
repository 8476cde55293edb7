"""The core of the certificate authority: rules, bytes, use cases, storage and keys."""
