"""Signing keys on a PKCS#11 token."""

from ca_core.keys.pkcs11.store import Pkcs11KeyStore, Pkcs11Signer

__all__ = ["Pkcs11KeyStore", "Pkcs11Signer"]
