"""Delta lists (RFC 5280 §5.2.4): what changed since the full list, numbered with it, and nothing lost on the way."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import delete, text, update
from werkzeug.test import Client

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.authority import PublishedCrl
from ca_core.domain.certificate import RevocationReason as R
from ca_core.domain.errors import Conflict, IntegrityAlarm, InvalidInput, NotFound
from ca_core.domain.work import Job
from ca_core.lint.pkilint_run import lint_crl_with_pkilint
from ca_core.storage.tables import certificates, crl_changes, published_crls
from ca_core.storage.triggers import NOTES, TRIGGERS
from ca_core.x509.pem import to_pem
from crl import drafting
from crl.drafting import Terms, draft_delta, draft_full
from crl.office import CrlOffice
from crl.scope import scope_of
from crl.wsgi import CrlApplication

DELTAS = timedelta(hours=12)


@pytest.fixture
def office(world: Any) -> CrlOffice:
    """One that makes deltas, with fresh full lists."""
    office: CrlOffice = world.office(delta_lifetime=DELTAS)
    for name in ("root", "issuing"):
        office.issue(SYSTEM_ACTOR, name)
    return office


def full(office: CrlOffice, partition: int = 0) -> PublishedCrl:
    return office.issue(SYSTEM_ACTOR, "issuing", partition=partition)[0]


def delta(office: CrlOffice, partition: int = 0) -> PublishedCrl:
    return office.issue(SYSTEM_ACTOR, "issuing", partition=partition, delta=True)[0]


def read(crl: PublishedCrl) -> dict[int, x509.ReasonFlags | None]:
    """Serial numbers with their reasons."""
    return {
        entry.serial_number: next(
            (one.value.reason for one in entry.extensions if isinstance(one.value, x509.CRLReason)), None
        )
        for entry in x509.load_der_x509_crl(crl.der)
    }


def test_a_delta_has_what_changed_since_its_base_and_nothing_else(world: Any, office: CrlOffice) -> None:
    before = world.revoke(world.certificate())
    base = full(office)
    assert read(delta(office)) == {}
    held, revoked = world.hold(world.certificate()), world.revoke(world.certificate(), R.KEY_COMPROMISE)
    unspecified, given_up = world.revoke(world.certificate(), R.UNSPECIFIED), world.abandoned()
    made = delta(office)
    assert read(made) == {
        held.serial.value: x509.ReasonFlags.certificate_hold,
        revoked.serial.value: x509.ReasonFlags.key_compromise,
        unspecified.serial.value: None,
        given_up.serial.value: x509.ReasonFlags.cessation_of_operation,
    }
    assert (made.base, made.entries, made.number > base.number) == (base.number, 4, True)
    assert before.serial.value in read(base)


def test_a_reason_that_became_worse_is_in_the_delta_with_the_first_moment(world: Any, office: CrlOffice) -> None:
    since = (world.clock() - timedelta(days=2)).replace(microsecond=0)
    revoked = world.revoke(world.certificate(), R.SUPERSEDED)
    full(office)
    world.revoke(revoked, R.KEY_COMPROMISE, invalidity_date=since)
    entry = x509.load_der_x509_crl(delta(office).der).get_revoked_certificate_by_serial_number(revoked.serial.value)
    assert entry is not None
    assert entry.revocation_date_utc == revoked.revoked_at.replace(microsecond=0)
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.key_compromise
    assert entry.extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date_utc == since


def test_a_hold_that_was_lifted_is_removed_by_the_delta_and_gone_from_the_next_full_list(
    world: Any, office: CrlOffice
) -> None:
    listed = world.hold(world.certificate())
    full(office)
    late = world.hold(world.certificate())
    assert set(read(delta(office))) == {late.serial.value}
    for held in (listed, late):
        world.unhold(held)
    removed = {one.serial.value: x509.ReasonFlags.remove_from_crl for one in (listed, late)}
    for _ in range(2):
        assert read(delta(office)) == removed
    again = world.hold(world.certificate())
    assert read(delta(office)) == {**removed, again.serial.value: x509.ReasonFlags.certificate_hold}
    after = full(office)
    assert not set(removed) & set(read(after))
    assert again.serial.value in read(after)
    assert read(delta(office)) == {}


def test_a_hold_lifted_and_set_again_is_in_the_delta_as_a_hold(world: Any, office: CrlOffice) -> None:
    held = world.hold(world.certificate())
    full(office)
    world.unhold(held)
    delta(office)
    world.hold(replace(held, version=held.version))
    assert read(delta(office)) == {held.serial.value: x509.ReasonFlags.certificate_hold}


def test_a_base_says_where_its_deltas_lie_and_both_have_one_scope(world: Any, office: CrlOffice) -> None:
    key = world.issuing.key_identifier.hex()
    for partition, name in ((0, ""), (3, "/3")):
        base, made = (x509.load_der_x509_crl(one(office, partition).der) for one in (full, delta))
        point = base.extensions.get_extension_for_class(x509.FreshestCRL)
        assert not point.critical
        [where] = point.value[0].full_name or ()
        assert where.value == f"{world.base_url}/crl/{key}{name}-delta.crl"
        with pytest.raises(x509.ExtensionNotFound):
            made.extensions.get_extension_for_class(x509.FreshestCRL)
        indicator = made.extensions.get_extension_for_class(x509.DeltaCRLIndicator)
        assert indicator.critical
        assert indicator.value.crl_number == base.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        scopes = [
            [one for one in crl.extensions if isinstance(one.value, x509.IssuingDistributionPoint)]
            for crl in (base, made)
        ]
        assert scopes[0] == scopes[1]
        assert bool(scopes[0]) is bool(partition)
        assert made.next_update_utc == made.last_update_utc + DELTAS


def test_each_partition_has_deltas_of_its_own(world: Any, office: CrlOffice) -> None:
    revoked = {partition: world.revoke(world.certificate(partition=partition)) for partition in (1, 2)}
    serials = {partition: row.serial.value for partition, row in revoked.items()}
    for partition in (1, 2):
        assert set(read(delta(office, partition))) == {serials[partition]}
    assert set(serials.values()) <= set(read(delta(office)))
    full(office, 1)
    assert read(delta(office, 1)) == {}
    assert set(read(delta(office, 2))) == {serials[2]}


def test_what_was_revoked_and_ended_between_two_full_lists_stays_until_one_has_it(world: Any) -> None:
    office = world.office(delta_lifetime=DELTAS, lifetime=timedelta(days=40), rebuild_after=timedelta(days=20))
    full(office)
    short = world.revoke(world.certificate(valid_for=timedelta(hours=2)))
    assert set(read(delta(office))) == {short.serial.value}
    world.clock.ahead = timedelta(days=3)
    assert set(read(delta(office))) == {short.serial.value}, "RFC 5280 §5.2.4: in every delta until a full list has it"
    assert short.serial.value in read(full(office)), "RFC 5280 §3.3: once after the end"
    assert read(delta(office)) == {}
    world.clock.ahead = timedelta(days=43)
    full(office)
    world.clock.ahead = timedelta(days=64)
    assert short.serial.value not in read(full(office))


def test_a_delta_is_on_record_under_its_list(world: Any, office: CrlOffice) -> None:
    made = delta(office, 2)
    with world.transactions.read(SYSTEM_ACTOR) as tx:
        record = tx.audit.records(object_id=f"{world.issuing.id}/2")[-1]
    assert record.action == "crl.delta-issued"
    assert (record.details["number"], record.details["sha256"]) == (made.number, made.sha256.hex())
    assert record.details["list"] == "issuing/2-delta"


def test_without_a_full_list_that_names_its_deltas_a_full_list_is_made(world: Any) -> None:
    world.crls.issue(SYSTEM_ACTOR, "issuing", partition=0)  # by an office that makes no deltas
    office = world.office(delta_lifetime=DELTAS)
    made = delta(office)
    assert (made.base, made.freshest) == (None, True)
    assert delta(office).base == made.number


def test_after_very_many_changes_a_full_list_is_made(
    world: Any, office: CrlOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafting, "SMALL", 1)
    base = full(office, 3)
    limit = max(1, base.entries // 4)
    for _ in range(limit):
        world.revoke(world.certificate(partition=3))
    assert delta(office, 3).base == base.number
    world.revoke(world.certificate(partition=3))
    made = delta(office, 3)
    assert (made.base, made.entries) == (None, base.entries + limit + 1)


def test_where_no_deltas_are_made_none_are_issued_or_shown(world: Any, office: CrlOffice) -> None:
    delta(office)
    with pytest.raises(InvalidInput, match="crl_delta_hours"):
        delta(world.crls)
    with pytest.raises(NotFound):
        world.crls.published(SYSTEM_ACTOR, "issuing", 0, delta=True)
    assert office.published(SYSTEM_ACTOR, "issuing", 0, delta=True).base is not None
    assert not any(one.delta for one in world.crls.overview())


def test_a_change_makes_deltas_and_leaves_the_full_lists(world: Any, office: CrlOffice) -> None:
    office.tick()
    before = {one.name: one.published.number for one in office.overview() if one.published}
    row = world.revoke(world.certificate(partition=2))
    arguments = {"authority": str(row.issuer), "partition": 2}
    office.refresh(Job(id=uuid4(), kind="crl", arguments=arguments, run_at=world.clock(), created_at=world.clock()))
    after = {one.name: one.published.number for one in office.overview() if one.published}
    assert {name for name in after if after[name] != before[name]} == {"issuing-delta", "issuing/2-delta"}
    for partition in (0, 2):
        assert row.serial.value in read(office.published(SYSTEM_ACTOR, "issuing", partition, delta=True))


def test_tick_makes_deltas_that_are_missing_old_or_of_another_base(world: Any, office: CrlOffice) -> None:
    office.tick()
    assert office.tick() == 0
    full(office, 1)
    assert office.tick() == 1, "the delta to the new base"
    world.clock.ahead = DELTAS / 2 + timedelta(minutes=1)
    assert office.tick() == 6, "every delta, and no full list"
    assert office.tick() == 0
    world.clock.ahead = timedelta(hours=25)
    assert office.tick() == 12
    assert world.crls.tick() == 6, "full lists that no longer name deltas"
    assert world.crls.tick() == 0


def test_invariant_8_full_lists_and_deltas_share_one_sequence(world: Any, office: CrlOffice) -> None:
    numbers = [make(office).number for make in (full, delta, delta, full, delta)]
    assert numbers == sorted(set(numbers))


def test_invariant_8_concurrent_builders_of_both_kinds_lose_nothing(world: Any, office: CrlOffice) -> None:
    """Each revokes, then builds: with the full list that it builds on, a delta has every earlier revocation."""
    rows = [world.certificate(partition=4) for _ in range(16)]

    def revoke_and_build(number: int) -> tuple[int, PublishedCrl]:
        world.revoke(rows[number])
        return rows[number].serial.value, (full if number % 3 == 0 else delta)(office, 4)

    with ThreadPoolExecutor(8) as pool:
        built = list(pool.map(revoke_and_build, range(len(rows))))
    with world.transactions.read(SYSTEM_ACTOR) as tx:
        everything = {
            head.number: (head, read(PublishedCrl(**vars(head), der=tx.authorities.crl_bytes(head))))
            for head in tx.all_rows.each(type(tx.authorities.current_crl(world.issuing.id, 4)))
            if (head.authority, head.partition) == (world.issuing.id, 4)
        }
    known: set[int] = set()
    for number in sorted(everything):
        head, listed = everything[number]
        told = set(listed) | (set(everything[head.base][1]) if head.base is not None else set())
        assert known <= told, f"number {number} goes back"
        known = told
    for serial, crl in built:
        assert serial in read(crl) or (crl.base is not None and serial in everything[crl.base][1])
    assert {row.serial.value for row in rows} <= known


def test_invariant_8_a_draft_is_not_published_after_another_list(world: Any, office: CrlOffice) -> None:
    terms = Terms(
        base_url=world.base_url, lifetime=timedelta(days=7), rebuild_after=timedelta(days=1), delta_lifetime=DELTAS
    )
    scope = scope_of(world.issuing, 0)
    signer = world.keys.signer("issuing", world.issuing.signature_algorithm)
    for draft_of, other in ((draft_full, delta), (draft_delta, full), (draft_full, full), (draft_delta, delta)):
        with world.transactions.begin(SYSTEM_ACTOR) as tx:
            number = tx.authorities.next_crl_number(world.issuing.id, 0)
        with world.transactions.read(SYSTEM_ACTOR) as tx:
            draft = draft_of(tx, scope, number, terms)
        assert draft is not None
        with world.transactions.begin(SYSTEM_ACTOR) as tx:
            number = tx.authorities.next_crl_number(world.issuing.id, 0)
        newer = other(office)
        for late in (draft, replace(draft, number=newer.number + 100)):
            with pytest.raises(Conflict):
                office.publish(SYSTEM_ACTOR, late, late.sign(signer))


@dataclass(frozen=True)
class KeysThat:
    """The keys of a world; before the first signature something else happens."""

    keys: Any
    happens: list[Callable[[], object]]

    def signer(self, reference: str, algorithm: Any) -> Any:
        real = self.keys.signer(reference, algorithm)

        def sign(data: bytes) -> bytes:
            while self.happens:
                self.happens.pop()()
            return bytes(real.sign(data))

        return replace(real, sign=sign)


def test_invariant_8_a_full_list_that_a_delta_overtook_is_built_anew(world: Any, office: CrlOffice) -> None:
    row = world.certificate(partition=1)
    made: list[PublishedCrl] = []
    keys = KeysThat(world.keys, [lambda: made.append(delta(office, 1)), lambda: world.revoke(row)])
    given = full(world.office(keys=keys, delta_lifetime=DELTAS), 1)
    assert row.serial.value in read(made[0])
    assert row.serial.value in read(given)
    assert given.number > made[0].number
    assert given.base is None


def test_invariant_8_a_delta_that_a_newer_one_overtook_gives_way(world: Any, office: CrlOffice) -> None:
    made: list[PublishedCrl] = []
    keys = KeysThat(world.keys, [lambda: made.append(delta(office, 1))])
    assert delta(world.office(keys=keys, delta_lifetime=DELTAS), 1) == made[0]


def forge(world: Any, *statements: Any, notes: bool = True) -> Callable[[], None]:
    """As whoever owns the database can: triggers out of the way, then the statements. What comes back puts the triggers
    back, since this world goes on."""
    from ca_core.storage import triggers

    engine = world.transactions._engine
    with engine.begin() as connection:
        for trigger in TRIGGERS if notes else (*TRIGGERS, *NOTES):
            connection.execute(text(trigger.removal(connection.dialect.name)))
        for statement in statements:
            assert connection.execute(statement).rowcount > 0
        triggers.drop(connection)
        triggers.create(connection)
    return lambda: None


GOOD_AGAIN = {"state": "issued", "reason": None, "revoked_at": None, "held_by": None}


def certificate(row: Any, **values: object) -> Any:
    return update(certificates).where(certificates.c.id == row.id).values(**values)


@pytest.mark.parametrize("noted", [True, False], ids=["noted", "the notes switched off"])
def test_no_list_follows_a_certificate_that_was_set_back(start_world: Any, noted: bool) -> None:
    world = start_world[2]()
    office = world.office(delta_lifetime=DELTAS)
    full(office)
    row = world.revoke(world.certificate(partition=1))
    assert row.serial.value in read(delta(office))
    forge(world, certificate(row, **GOOD_AGAIN), notes=noted)
    for make in (delta, full):
        with pytest.raises(IntegrityAlarm, match=row.serial.hex):
            make(office)


@pytest.mark.parametrize("change", ["the note is gone", "the delta is gone", "another digest", "other octets"])
def test_no_list_follows_a_delta_that_is_not_the_last_on_record(start_world: Any, change: str) -> None:
    world = start_world[2]()
    office = world.office(delta_lifetime=DELTAS)
    full(office)
    world.revoke(world.certificate())
    newest = published_crls.c.id == delta(office).id
    forge(
        world,
        {
            "the note is gone": delete(crl_changes),
            "the delta is gone": delete(published_crls).where(newest),
            "another digest": update(published_crls).where(newest).values(sha256=bytes(32)),
            "other octets": update(published_crls).where(newest).values(der=b"0"),
        }[change],
    )
    with pytest.raises(IntegrityAlarm):
        delta(office)
    if change != "the note is gone":
        with pytest.raises(IntegrityAlarm):
            full(office)


# Who agrees: openssl, GnuTLS, pkilint.


@pytest.fixture
def files(world: Any, office: CrlOffice, tmp_path: Path) -> Path:
    """A directory with chain, certificates in every state between a full list and its delta, and both lists."""
    rows = {
        "good": world.certificate(partition=2),
        "listed": world.revoke(world.certificate(partition=2)),
        "lifted": world.hold(world.certificate(partition=2)),
        "late": world.certificate(partition=2),
    }
    bases = {"full": full(office), "part": full(office, 2)}
    world.unhold(rows["lifted"])
    world.revoke(rows["late"], R.KEY_COMPROMISE, invalidity_date=world.clock() - timedelta(days=1))
    lists = {**bases, "full-delta": delta(office), "part-delta": delta(office, 2)}
    (lists["root"],) = office.issue(SYSTEM_ACTOR, "root")
    for name, der in ({name: row.der for name, row in rows.items()} | {"issuing": world.issuing.certificate}).items():
        (tmp_path / f"{name}.pem").write_text(to_pem(der))
    (tmp_path / "root.pem").write_text(to_pem(world.root.certificate))
    (tmp_path / "ca.pem").write_text(to_pem(world.issuing.certificate) + to_pem(world.root.certificate))
    for name, crl in lists.items():
        (tmp_path / f"{name}.crl").write_bytes(crl.der)
        (tmp_path / f"{name}.crl.pem").write_bytes(x509.load_der_x509_crl(crl.der).public_bytes(Encoding.PEM))
    return tmp_path


def run(directory: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("name", ["full", "part"])
def test_openssl_decides_by_the_full_list_and_its_delta(files: Path, name: str) -> None:
    crls = [files / f"{one}.crl.pem" for one in (name, f"{name}-delta", "root")]
    (files / "crls.pem").write_bytes(b"".join(one.read_bytes() for one in crls))
    for deltas, revoked in (((), {"listed", "lifted"}), (("-use_deltas",), {"listed", "late"})):
        for certificate in ("good", "listed", "lifted", "late"):
            done = run(
                files,
                *("openssl", "verify", "-x509_strict", "-crl_check", "-extended_crl", *deltas, "-CAfile", "root.pem"),
                *("-untrusted", "issuing.pem", "-CRLfile", "crls.pem", f"{certificate}.pem"),
            )
            assert (done.returncode, "certificate revoked" in done.stderr) == (
                (2, True) if certificate in revoked else (0, False)
            ), (certificate, deltas, done.stderr)


@pytest.mark.parametrize("name", ["full-delta", "part-delta"])
def test_openssl_verifies_the_signature_of_a_delta(files: Path, name: str) -> None:
    done = run(files, "openssl", "crl", "-inform", "DER", "-in", f"{name}.crl", "-noout", "-text", "-CAfile", "ca.pem")
    assert done.returncode == 0
    assert "verify OK" in done.stderr
    for said in ("Delta CRL Indicator: critical", "Remove From CRL", "Invalidity Date"):
        assert said in done.stdout


@pytest.mark.skipif(shutil.which("certtool") is None, reason="gnutls-bin is not installed")
@pytest.mark.parametrize("name", ["full-delta", "part-delta"])
def test_gnutls_verifies_the_signature_of_a_delta(files: Path, name: str) -> None:
    done = run(files, "certtool", "--verify-crl", "--load-ca-certificate", "ca.pem", "--infile", f"{name}.crl.pem")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Verified" in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["full", "part", "full-delta", "part-delta"])
def test_pkilint_finds_nothing(files: Path, name: str) -> None:
    assert lint_crl_with_pkilint((files / f"{name}.crl").read_bytes()) == ()


# Over HTTP.


def test_a_delta_is_served_at_the_address_in_its_base(world: Any, office: CrlOffice) -> None:
    web = Client(CrlApplication(office))
    for partition in (0, 2):
        base, made = full(office, partition), delta(office, partition)
        point = x509.load_der_x509_crl(base.der).extensions.get_extension_for_class(x509.FreshestCRL)
        [where] = point.value[0].full_name or ()
        path = where.value.removeprefix(world.base_url)
        answer = web.get(path)
        assert (answer.status_code, answer.data) == (200, made.der)
        assert answer.headers["Content-Type"] == "application/pkix-crl"
        assert answer.headers["Cache-Control"] == "public, max-age=300, no-transform"
        assert web.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
        assert web.get(path.replace("-delta", "")).data == base.der
        assert Client(CrlApplication(world.crls)).get(path).status_code == 404
