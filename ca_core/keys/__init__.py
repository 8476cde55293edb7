"""Keys and where they are kept: encrypted files and PKCS#11 tokens for signing, wrapped files for symmetric keys."""
