"""The bytes: DER out and in for certificates, requests, CRLs and OCSP, so that any signer can sign them."""
