"""``python -m benchmarks.load SCENARIO…``: an authority of its own, and locust against it, with budgets.

With ``--serve FILE`` it makes everything ready and waits, for locust that is started elsewhere.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.budget import Budgets
from benchmarks.installation import LIGHT, Installation, free_port, open_installation
from benchmarks.plots import load_series
from benchmarks.report import image, machine, put
from benchmarks.scenarios.prepared import Prepared
from benchmarks.status import Answers
from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.identifiers import Serial
from ca_core.x509.ocsp import ocsp_request

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
BUDGETS = Path(__file__).with_name("budgets") / "load.toml"
CLASSES = {"journey": "Journey", "issuance": "Issuance", "ocsp": "Ocsp", "crl": "CrlDownload"}
"""The scenarios by the names that they have in reports."""
UNKNOWN = 10_000


def prepare(house: Installation, *, applications: int = 0, certificates: int = 0) -> tuple[Prepared, Answers | None]:
    """Tokens, and so many applications that wait for their certificate and answers that stand ready."""
    program = house.program
    _, operator = program.services.tokens.create(
        house.operator, label="benchmark", scopes=house.operator.permissions, days=1
    )
    answers = Answers(house, certificates) if certificates else None
    program.crls.issue(SYSTEM_ACTOR, house.issuer.name)
    prepared = Prepared(
        subscriber=house.token,
        operator=operator,
        profile=LIGHT,
        centre=str(house.centre),
        subject=house.subject,
        applications=[(str(one), house.version_of[one]) for one in house.copies(applications)],
        known=[b64encode(one).decode() for one in answers.requests] if answers else (),
        unknown=list(_about_nothing(answers)) if answers else (),
        lists=[f"/crl/{house.issuer.key_identifier.hex()}.crl"],
    )
    return prepared, answers


def _about_nothing(answers: Answers) -> Iterator[str]:
    for _ in range(UNKNOWN):
        serial = Serial.random(os.urandom)
        yield b64encode(ocsp_request([answers.cert_id.of_serial(serial.value)])).decode()


def locust(
    classes: Sequence[str],
    *,
    url: str,
    prepared: Path,
    budgets: Path,
    out: Path,
    users: int,
    rate: float,
    seconds: float,
    workers: int,
    locustfiles: Sequence[Path] = (),
) -> list[str]:
    """The command that runs these user classes, which may be of ``locustfiles``, for so many seconds.

    ``out`` is how the names of what it writes begin: ``.html``, ``_stats_history.csv`` and others."""
    command = [sys.executable, "-m", "locust", "-f", ",".join(map(str, (LOCUSTFILE, *locustfiles))), *classes]
    command += [
        "--headless",
        "--only-summary",
        "--loglevel",
        "WARNING",
        "--host",
        url,
        "--prepared",
        str(prepared),
        "--budgets",
        str(budgets),
    ]
    command += ["--users", str(users), "--spawn-rate", str(min(rate or users, 100)), "--rate", str(rate)]
    command += ["--run-time", f"{seconds:g}s", "--stop-timeout", "10"]
    command += ["--csv", str(out), "--csv-full-history", "--html", f"{out}.html"]
    command += ["--json-file", str(out)]  # it makes another table at the end otherwise
    return command + (["--processes", str(workers)] if workers > 1 else [])


@contextmanager
def opened(
    options: argparse.Namespace, *, applications: int, address: str = ""
) -> Iterator[tuple[Installation, Path, Answers | None]]:
    """An installation with a server, the file of what was prepared in it, and the answers in its store.

    With ``address`` it serves other machines too, under that name."""
    port = free_port()
    server = f"processes = {options.processes}\n"
    if address:
        server += f'host = "0.0.0.0"\nhosts = ["{address}:{port}"]\n'
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        presigned = "[status]\npresign = true\n"
        with open_installation(
            home, KeyAlgorithm.EC_P256, options.database, server_options=server + presigned, port=port
        ) as house:
            prepared, answers = prepare(house, applications=applications, certificates=options.certificates)
            prepared.write(home / "prepared.json")
            yield house, home / "prepared.json", answers


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(CLASSES))
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--users", type=int, default=16, help="at once, of all scenarios together (default 16)")
    parser.add_argument("--rate", type=float, default=0, help="tasks begun a second (default: as fast as answers come)")
    parser.add_argument("--workers", type=int, default=1, help="locust's processes (default 1)")
    parser.add_argument("--processes", type=int, default=2, help="of the server (default 2)")
    parser.add_argument("--database", default="", help="SQLAlchemy URL of an empty database (default: SQLite)")
    parser.add_argument("--certificates", type=int, default=20_000, help="OCSP answers that stand ready")
    parser.add_argument(
        "--applications", type=int, default=0, help="that wait for a certificate (default: 300 a second)"
    )
    parser.add_argument("--budgets", type=Path, default=BUDGETS, help="TOML file of what is allowed")
    parser.add_argument(
        "--locustfile", type=Path, action="append", default=[], help="of one's own, with more user classes"
    )
    parser.add_argument("--out", type=Path, default=Path("build/load"), help="beginning of the names of reports")
    parser.add_argument("--page", type=Path, default=None, help="page whose table and plot are replaced")
    parser.add_argument("--serve", type=Path, metavar="FILE", help="only make ready, write FILE, wait for Ctrl-C")
    parser.add_argument("--address", default="", help="with --serve: name or address that load comes to from elsewhere")
    return parser


def main() -> int:
    options = arguments().parse_args()
    unknown = set(options.scenarios) - CLASSES.keys() and not options.locustfile
    if unknown or not (options.scenarios or options.serve):
        arguments().error(f"name a scenario: {', '.join(CLASSES)}, or a class of --locustfile")
    try:
        Budgets.read(options.budgets)
    except (OSError, ValueError) as error:
        arguments().error(str(error))
    seconds = options.minutes * 60
    applications = options.applications or int(300 * seconds)
    if not options.serve and "issuance" not in options.scenarios:
        applications = 0
    with opened(options, applications=applications, address=options.address if options.serve else "") as (
        house,
        prepared,
        _,
    ):
        if options.serve:
            return _serve(house, prepared, options)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        command = locust(
            [CLASSES.get(one, one) for one in options.scenarios],
            url=f"http://127.0.0.1:{house.port}",
            prepared=prepared,
            budgets=options.budgets,
            out=options.out,
            users=options.users,
            rate=options.rate,
            seconds=seconds,
            workers=options.workers,
            locustfiles=options.locustfile,
        )
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="")
    load_series(Path(f"{options.out}_stats_history.csv"), Path(f"{options.out}.svg"))
    if options.page is not None:
        again = f"python -m benchmarks.load {' '.join(options.scenarios)} --minutes {options.minutes:g}"
        again += f" --users {options.users}"
        plot = options.page.with_suffix("") / "load.svg"
        load_series(Path(f"{options.out}_stats_history.csv"), plot)
        put(options.page, "load", f"{machine(again)}\n\n{done.stdout.strip()}\n\n{image(options.page, plot)}")
    return done.returncode


def _serve(house: Installation, prepared: Path, options: argparse.Namespace) -> int:
    Prepared.read(prepared).write(options.serve)
    print(f"http://{options.address or '127.0.0.1'}:{house.port}", flush=True)
    print("ready; Ctrl-C ends it", file=sys.stderr, flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        signal.pause()
    except KeyboardInterrupt:
        options.serve.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
