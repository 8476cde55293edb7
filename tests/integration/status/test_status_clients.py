"""Real clients over real HTTP: curl, openssl and GnuTLS against the two applications."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from cryptography import x509

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.x509.pem import to_pem
from crl.wsgi import CrlApplication
from ocsp.wsgi import OcspApplication


@pytest.fixture(scope="module")
def database() -> str:
    """One is enough: nothing here depends on which."""
    return "sqlite"


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Silent(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def url(world: Any) -> Iterator[str]:
    """Where both applications are served."""
    status, lists = OcspApplication(world.ocsp), CrlApplication(world.crls)

    def application(environ: Any, start_response: Any) -> Any:
        chosen = status if environ["PATH_INFO"].startswith("/ocsp") else lists
        return chosen(environ, start_response)

    server = make_server("127.0.0.1", 0, application, server_class=Server, handler_class=Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def run(directory: Path, *command: str) -> subprocess.CompletedProcess[str]:
    direct = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    done = subprocess.run(command, cwd=directory, env=direct, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture
def files(world: Any, tmp_path: Path) -> Path:
    rows = {"good": world.certificate(), "revoked": world.revoke(world.certificate())}
    for name, row in rows.items():
        (tmp_path / f"{name}.pem").write_text(to_pem(row.der))
    (tmp_path / "issuing.pem").write_text(to_pem(world.issuing.certificate))
    (tmp_path / "ca.pem").write_text(to_pem(world.issuing.certificate) + to_pem(world.root.certificate))
    world.crls.issue(SYSTEM_ACTOR, "issuing")
    return tmp_path


@pytest.mark.parametrize("name", ["good", "revoked"])
def test_openssl_asks_over_http(files: Path, url: str, name: str) -> None:
    about = ("-issuer", "issuing.pem", "-cert", f"{name}.pem", "-CAfile", "ca.pem")
    done = run(files, "openssl", "ocsp", "-url", f"{url}/ocsp", *about)
    assert "Response verify OK" in done.stderr
    assert f"{name}.pem: {name}" in done.stdout


@pytest.mark.skipif(shutil.which("ocsptool") is None, reason="gnutls-bin is not installed")
@pytest.mark.parametrize("nonce", [(), ("--nonce",)], ids=["plain", "nonce"])
@pytest.mark.parametrize("name", ["good", "revoked"])
def test_gnutls_asks_over_http(files: Path, url: str, name: str, nonce: tuple[str, ...]) -> None:
    about = ("--load-cert", f"{name}.pem", "--load-issuer", "issuing.pem", "--load-trust", "ca.pem")
    done = run(files, "ocsptool", f"--ask={url}/ocsp", *about, *nonce)
    assert "Verifying OCSP Response: Success" in done.stdout
    assert f"Certificate Status: {name}" in done.stdout


def test_curl_fetches_list_and_issuer_and_openssl_checks_them(world: Any, files: Path, url: str) -> None:
    key = world.issuing.key_identifier.hex()
    run(files, "curl", "-sSf", "-o", "list.crl", f"{url}/crl/{key}.crl")
    run(files, "curl", "-sSf", "-o", "issuer.cer", f"{url}/aia/{key}.cer")
    done = run(files, "openssl", "crl", "-inform", "DER", "-in", "list.crl", "-noout", "-CAfile", "ca.pem")
    assert "verify OK" in done.stderr
    issuer = x509.load_der_x509_certificate((files / "issuer.cer").read_bytes())
    assert x509.load_der_x509_crl((files / "list.crl").read_bytes()).is_signature_valid(issuer.public_key())


def test_curl_with_the_tag_it_knows_gets_nothing_new(world: Any, files: Path, url: str) -> None:
    target = f"{url}/crl/{world.issuing.key_identifier.hex()}.crl"
    common = ("curl", "-sS", "-o", "list.crl", "--etag-save", "tag", "-w", "%{http_code}")
    assert run(files, *common, target).stdout == "200"
    assert run(files, *common, "--etag-compare", "tag", target).stdout == "304"
