"""The journey with nothing but openssl, curl and the command line."""

from __future__ import annotations

import io
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw


def specimen(title: str) -> bytes:
    page = Image.new("RGB", (600, 800), "white")
    ImageDraw.Draw(page).text((60, 60), title, fill="black", font_size=40)
    out = io.BytesIO()
    page.save(out, "PDF")
    return out.getvalue()


@pytest.mark.timeout(1500)
def test_the_journey_runs_with_openssl_curl_and_the_command_line_alone(tmp_path: Path) -> None:
    for tool in ("openssl", "curl", "certtool", "ocsptool"):
        assert shutil.which(tool), f"install {tool}"
    papers = tmp_path / "papers"
    papers.mkdir()
    for name in ("letter", "form", "sharper"):
        (papers / f"{name}.pdf").write_bytes(specimen(name))
    home = tmp_path / "authority"
    home.mkdir(mode=0o700)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [
        str(Path(__file__).with_name("journey.sh")),
        str(Path(sys.executable).with_name("pechatnik")),
        str(port),
        str(home),
        *(str(papers / f"{name}.pdf") for name in ("letter", "form", "sharper")),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1400)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert "== done" in done.stdout
