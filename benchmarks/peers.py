"""Other programs that answer OCSP or send a file, each on a port of its own while the benchmark runs."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.installation import free_port


@contextmanager
def nginx(home: Path, body: bytes) -> Iterator[int]:
    """Two workers and one file: what the same bytes cost where nothing is looked up."""
    port = free_port()
    folder = home / "nginx"
    folder.mkdir()
    folder.chmod(0o755)
    home.chmod(0o755)
    (folder / "answer").write_bytes(body)
    (folder / "answer").chmod(0o644)
    (folder / "nginx.conf").write_text(
        f"worker_processes 2; daemon off; error_log {folder}/error; pid {folder}/pid;\n"
        "events { worker_connections 1024; }\n"
        "http { access_log off; keepalive_requests 100000000; open_file_cache max=10; sendfile on; tcp_nopush on;\n"
        f"default_type application/ocsp-response; server {{ listen 127.0.0.1:{port}; root {folder}; }} }}\n"
    )
    with running(["nginx", "-c", str(folder / "nginx.conf")], port):
        yield port


@contextmanager
def cfssl(home: Path, bodies: Sequence[bytes]) -> Iterator[int]:
    """The answers that are asked for, read from a file into its memory."""
    port = free_port()
    file = home / "cfssl-answers"
    file.write_text("\n".join(b64encode(body).decode() for body in bodies))
    command = ["cfssl", "ocspserve", f"-port={port}", f"-responses={file}", "-loglevel=5"]
    with running(command, port):
        yield port


@contextmanager
def cfssl_issuing(home: Path) -> Iterator[int]:
    """An authority over a P-256 key that signs whatever request it is sent and stores nothing."""
    port = free_port()
    key, certificate = home / "peer.key", home / "peer.pem"
    make = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=Peer -keyout {key}"
    subprocess.run([*make.split(), "-out", str(certificate)], check=True, capture_output=True)
    command = ["cfssl", "serve", f"-ca={certificate}", f"-ca-key={key}", f"-port={port}", "-loglevel=5"]
    with running(command, port):
        yield port


def installed(program: str) -> bool:
    return shutil.which(program) is not None


@contextmanager
def running(command: Sequence[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 300
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]} did not start") from None
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)
