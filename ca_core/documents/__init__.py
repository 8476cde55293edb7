"""Uploads: checked and drawn in a sandbox, scanned for malware, kept encrypted and write-once."""
