"""Ready answers as files: each where a server finds it, none that is not to be served any more, whole or not there."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import socket
import subprocess
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.serving import make_server

from ca_core.domain.access import SYSTEM_ACTOR, Actor, Role
from ca_core.domain.errors import InvalidInput, NotPermitted, TryAgain
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.ocsp import CertId, CertStatus, Revoked, ocsp_request
from ca_core.x509.ocsp_answer import OcspAnswer
from ca_core.x509.pem import to_pem
from ocsp.static_tree import MARK, Exported, StaticTree, name_of
from ocsp.wsgi import OcspApplication

PAGE = Path(__file__).parents[3] / "docs/operations.md"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")


@pytest.fixture(scope="module")
def database() -> str:
    """One is enough: nothing here depends on which."""
    return "sqlite"


def request_about(world: Any, row: Any, digest: str = "sha1") -> bytes:
    issuer = SignedCertificate.parse(world.issuing.certificate)
    asked = CertId.make(
        issuer=issuer.subject,
        issuer_public_key_info=issuer.public_key_info,
        serial=row.serial.value,
        digest=digest,
    )
    return ocsp_request([asked])


def status_in(body: bytes) -> Any:
    return OcspAnswer.parse(body).data.answers[0].status  # type: ignore[union-attr]


@pytest.fixture
def export(world: Any, tmp_path: Path) -> Callable[..., Exported]:
    """Sign what is due, then export."""

    def run(folder: Path = tmp_path / "tree", **options: Any) -> Exported:
        world.presigner().sign(world.issuing.id)
        world.ready = type(world.ready)(
            world.store, max_age=timedelta(hours=1), clock=lambda: world.clock().timestamp()
        )
        return StaticTree(world.store, world.ready).export(SYSTEM_ACTOR, folder, **options)

    return run


def files(folder: Path) -> set[Path]:
    return {file for file in folder.rglob("*") if file.is_file() and file.name != MARK}


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_every_answer_that_stands_ready_is_a_file_and_only_changes_are_written_again(
    world: Any, export: Any, tmp_path: Path, digest: str
) -> None:
    good, revoked = world.certificate(), world.revoke(world.certificate())
    first = export()
    tree = tmp_path / "tree"
    assert first.written == len(files(tree)) == sum(world.store.counts().values())
    assert status_in((tree / name_of(request_about(world, good, digest))).read_bytes()) is CertStatus.GOOD
    assert isinstance(status_in((tree / name_of(request_about(world, revoked, digest))).read_bytes()), Revoked)
    assert export() == Exported(kept=first.written)


def test_what_is_not_to_be_served_any_more_is_removed_before_anything_is_written(
    world: Any, export: Any, tmp_path: Path
) -> None:
    row = world.certificate()
    export()
    file = tmp_path / "tree" / name_of(request_about(world, row))
    world.revoke(row)
    tree = StaticTree(world.store, world.ready)
    assert tree.export(SYSTEM_ACTOR, tmp_path / "tree").removed == 2  # both digests
    assert not file.exists()
    assert export().written == 2
    assert isinstance(status_in(file.read_bytes()), Revoked)


def test_an_answer_that_has_ended_is_removed(world: Any, export: Any, tmp_path: Path) -> None:
    row = world.certificate()
    export()
    world.clock.ahead = timedelta(days=5)
    StaticTree(world.store, world.ready).export(SYSTEM_ACTOR, tmp_path / "tree")
    assert not (tmp_path / "tree" / name_of(request_about(world, row))).exists()


def test_an_answer_of_the_same_second_and_size_is_told_apart(world: Any, export: Any, tmp_path: Path) -> None:
    row = world.certificate()
    export()
    file = tmp_path / "tree" / name_of(request_about(world, row))
    right, stamp = file.read_bytes(), file.stat()
    file.write_bytes(right[:-1] + b"?")
    os.utime(file, ns=(stamp.st_mtime_ns // 10**9 * 10**9,) * 2)
    assert export().written == 1
    assert file.read_bytes() == right


def test_an_interrupted_export_leaves_whole_files_and_is_gone_on_with(
    world: Any, export: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        world.certificate()
    renamed: list[Path] = []
    rename = Path.rename

    def killed(self: Path, target: Path) -> Path:
        if len(renamed) == 2:
            raise KeyboardInterrupt
        renamed.append(target)
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            export()
    assert all(status_in(file.read_bytes()) for file in renamed)
    done = export()
    assert (done.kept, done.removed) == (2, 1)  # what was being written
    assert len(files(tmp_path / "tree")) == done.kept + done.written


def test_pretending_changes_nothing(world: Any, export: Any, tmp_path: Path) -> None:
    world.certificate()
    assert export(pretend=True).written > 0
    assert not (tmp_path / "tree").exists()


def test_a_folder_of_something_else_is_left_alone(world: Any, export: Any, tmp_path: Path) -> None:
    (tmp_path / "tree" / "ab").mkdir(parents=True)
    with pytest.raises(InvalidInput):
        export()
    assert (tmp_path / "tree" / "ab").exists()


def test_two_exports_to_one_folder_do_not_mix(world: Any, export: Any, tmp_path: Path) -> None:
    export()
    with (tmp_path / "tree" / MARK).open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(TryAgain):
            export()


def test_a_disk_that_takes_nothing_says_try_again(world: Any, export: Any) -> None:
    with pytest.raises(TryAgain):
        export(Path("/proc/answers"))


def test_exporting_is_for_those_who_may_issue_lists(world: Any, tmp_path: Path) -> None:
    nobody = Actor(id=SYSTEM_ACTOR.id, name="x", roles=frozenset({Role.SUBSCRIBER}))
    with pytest.raises(NotPermitted):
        StaticTree(world.store, world.ready).export(nobody, tmp_path / "tree")


def test_batches_cover_every_answer_once(
    world: Any, export: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        world.certificate()
    monkeypatch.setattr("ocsp.static_tree.BATCH", 2)
    seen: list[int] = []
    done = export(progress=seen.append)
    assert sum(seen) == done.written == sum(world.store.counts().values())
    assert max(seen) == 2


@contextmanager
def served(tree: Path, place: Path, behind: int) -> Iterator[str]:
    """nginx with the configuration that the page of operations shows."""
    (shown,) = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = shown.replace("listen 80", f"listen 127.0.0.1:{port}").replace("/srv/ocsp", str(tree))
    config = config.replace("127.0.0.1:8080", f"127.0.0.1:{behind}")
    (place / "nginx.conf").write_text(
        f"user root; daemon off; pid {place}/pid; error_log {place}/error; events {{ }}\n"
        f"http {{ access_log off; client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;\n"
        f"fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s; {config} }}\n"
    )
    assert NGINX is not None
    process = subprocess.Popen([NGINX, "-c", str(place / "nginx.conf"), "-e", str(place / "error")])
    try:
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
            except ConnectionRefusedError:
                continue
        assert process.poll() is None, (place / "error").read_text()
        yield f"http://127.0.0.1:{port}/ocsp/"
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def behind(world: Any) -> Iterator[int]:
    """The authority itself, on a port."""
    server = make_server("127.0.0.1", 0, OcspApplication(world.ocsp), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()


def curl(*command: str) -> bytes:
    return subprocess.run(["curl", "-sS", "-f", *command], check=True, capture_output=True, timeout=60).stdout


@pytest.mark.skipif(NGINX is None, reason="nginx is not there")
def test_nginx_serves_the_tree_and_openssl_is_satisfied(world: Any, export: Any, tmp_path: Path) -> None:
    rows = [world.certificate() for _ in range(40)]
    rows += [world.revoke(world.certificate())]
    export()
    for name, authority in (("issuing", world.issuing), ("root", world.root)):
        (tmp_path / f"{name}.pem").write_text(to_pem(authority.certificate))
    (tmp_path / "ca.pem").write_text((tmp_path / "issuing.pem").read_text() + (tmp_path / "root.pem").read_text())
    slashes = 0
    with behind(world) as port, served(tmp_path / "tree", tmp_path, port) as url:
        for row, digest in product(rows, ("sha1", "sha256")):
            request = request_about(world, row, digest)
            text = b64encode(request).decode()
            slashes = max(slashes, text.count("/"))
            ways = [text, quote(text, safe=""), text.rstrip("="), "/" + quote(text)]
            assert {curl("--path-as-is", url + way) for way in ways} == {world.ready.answer(request).body}
        (tmp_path / "response").write_bytes(curl("-D", str(tmp_path / "head"), url + quote(text, safe="")))
        head = (tmp_path / "head").read_text().lower()
        # What has no file goes on to the authority, and every POST.
        new = request_about(world, world.certificate())
        assert status_in(curl("--path-as-is", url + quote(b64encode(new).decode(), safe=""))) is CertStatus.GOOD
        (tmp_path / "request").write_bytes(new)
        posted = ("-H", "Content-Type: application/ocsp-request", "--data-binary", f"@{tmp_path / 'request'}")
        assert status_in(curl(*posted, url.rstrip("/"))) is CertStatus.GOOD
    assert slashes >= 3
    assert "content-type: application/ocsp-response" in head
    assert "max-age=3600, public" in head
    command = "openssl ocsp -sha256 -issuer issuing.pem -no_nonce -respin response -CAfile ca.pem -serial"
    said = subprocess.run(
        [*command.split(), f"0x{rows[-1].serial}"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    assert "Response verify OK" in said.stderr
    assert "revoked" in said.stdout
