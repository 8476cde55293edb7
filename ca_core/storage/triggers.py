"""What the database refuses and notes by itself, whoever asks: the invariants that must hold against our own mistakes
too."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, inspect, text

from ca_core.domain.access import PRIVILEGED, Role


@dataclass(frozen=True)
class Trigger:
    """Refuses ``event`` on a row of ``table`` when ``condition`` holds, with the error name ``refusal``."""

    name: str
    table: str
    event: str
    condition: str
    refusal: str
    since: str = ""
    """A table that came together with columns that the condition names."""

    def names(self, dialect: str) -> Iterable[str]:
        """How the database calls it; on PostgreSQL, emptying a whole table is refused by one of its own."""
        yield self.name
        if dialect == "postgresql" and self.event == "DELETE":
            yield f"{self.name}_whole"

    def tables(self) -> Iterable[str]:
        """All that it needs: its own table, and those that its condition asks."""
        return {self.table, self.since or self.table, *re.findall(r"(?<!DISTINCT )(?:FROM|JOIN) (\w+)", self.condition)}

    def statements(self, dialect: str) -> Iterable[str]:
        """SQL that creates it."""
        if dialect == "sqlite":
            # Before 3.39 SQLite knew IS DISTINCT FROM by another name only.
            condition = self.condition.replace("IS DISTINCT FROM", "IS NOT")
            yield (
                f"CREATE TRIGGER {self.name} BEFORE {self.event} ON {self.table} FOR EACH ROW WHEN {condition} "
                f"BEGIN SELECT RAISE(ABORT, '{self.refusal}'); END"
            )
            return
        row = "OLD" if self.event == "DELETE" else "NEW"
        yield (
            f"CREATE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {self.condition} THEN "
            f"RAISE EXCEPTION '{self.refusal}' USING ERRCODE = 'check_violation'; END IF; RETURN {row}; END $$"
        )
        yield (
            f"CREATE TRIGGER {self.name} BEFORE {self.event} ON {self.table} "
            f"FOR EACH ROW EXECUTE FUNCTION {self.name}()"
        )
        if self.event == "DELETE":
            yield (
                f"CREATE TRIGGER {self.name}_whole BEFORE TRUNCATE ON {self.table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {self.name}()"
            )

    def removal(self, dialect: str) -> str:
        """SQL that drops it where it is."""
        return _removal(self.name, dialect)


@dataclass(frozen=True)
class Note:
    """After ``event`` on a row of ``table`` where ``condition`` holds, runs ``statement``."""

    name: str
    table: str
    event: str
    condition: str
    statement: str

    def names(self, dialect: str) -> Iterable[str]:
        """How the database calls it."""
        return (self.name,)

    def tables(self) -> Iterable[str]:
        """All that it needs: its own table, and the one that it writes."""
        return {self.table, *re.findall(r"INSERT INTO (\w+)", self.statement)}

    def statements(self, dialect: str) -> Iterable[str]:
        """SQL that creates it."""
        if dialect == "sqlite":
            condition = self.condition.replace("IS DISTINCT FROM", "IS NOT")
            yield (
                f"CREATE TRIGGER {self.name} AFTER {self.event} ON {self.table} FOR EACH ROW WHEN {condition} "
                f"BEGIN {self.statement}; END"
            )
            return
        yield (
            f"CREATE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {self.condition} THEN "
            f"{self.statement}; END IF; RETURN NULL; END $$"
        )
        yield (
            f"CREATE TRIGGER {self.name} AFTER {self.event} ON {self.table} FOR EACH ROW EXECUTE FUNCTION {self.name}()"
        )

    def removal(self, dialect: str) -> str:
        """SQL that drops it where it is."""
        return _removal(self.name, dialect)


def _removal(name: str, dialect: str) -> str:
    if dialect == "sqlite":
        return f"DROP TRIGGER IF EXISTS {name}"
    return f"DROP FUNCTION IF EXISTS {name}() CASCADE"


def _changed(*columns: str) -> str:
    return " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)


def _has(row: str, role: Role) -> str:
    # Not by LIKE: its percent sign is something else to one of the drivers.
    return f"replace({row}.roles, ' {role.value} ', '') <> {row}.roles"


# A change counts once, for the version of the account that it names.
_UNCONFIRMED = (
    "NOT EXISTS (SELECT 1 FROM account_changes c WHERE c.account = NEW.id AND c.roles = NEW.roles"
    " AND c.confirmed_by IS NOT NULL AND c.applied_version = NEW.version)"
)
_MADE_PRIVILEGED = " OR ".join(_has("NEW", role) for role in sorted(PRIVILEGED))
_BECOMES_PRIVILEGED = " OR ".join(f"({_has('NEW', role)} AND NOT {_has('OLD', role)})" for role in sorted(PRIVILEGED))

_CERTIFICATE_STEPS = (
    "NEW.state = OLD.state"
    " OR (OLD.state = 'intent' AND NEW.state IN ('issued', 'abandoned'))"
    " OR (OLD.state = 'issued' AND NEW.state IN ('held', 'revoked'))"
    " OR (OLD.state = 'held' AND NEW.state IN ('issued', 'revoked'))"
)

# Signed by another authority's software, applied for with nobody here; its import takes in rows until it is counted.
_IMPORTED = (
    "NEW.import_id IS NOT NULL AND NEW.imported_status IS NOT NULL AND NEW.application IS NULL"
    " AND NEW.state IN ('issued', 'held', 'revoked') AND NEW.der IS NOT NULL AND NEW.sha256 IS NOT NULL"
    " AND EXISTS (SELECT 1 FROM imports i WHERE i.id = NEW.import_id AND i.count IS NULL"
    " AND i.issuer = NEW.issuer AND i.owner = NEW.owner)"
)

TRIGGERS = (
    # Invariant 12
    Trigger(
        "approval_by_another",
        "approvals",
        "INSERT",
        "EXISTS (SELECT 1 FROM applications a WHERE a.id = NEW.application AND a.owner = NEW.approver)"
        " OR EXISTS (SELECT 1 FROM application_editors e"
        " WHERE e.application = NEW.application AND e.account = NEW.approver)",
        "self_approval",
    ),
    Trigger(
        "approval_of_this_round",
        "approvals",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM applications a WHERE a.id = NEW.application AND a.round = NEW.round)",
        "approval_round",
    ),
    Trigger(
        "privileged_account_is_confirmed",
        "accounts",
        "INSERT",
        f"({_MADE_PRIVILEGED}) AND {_UNCONFIRMED}",
        "change_unconfirmed",
    ),
    Trigger(
        "privileged_role_is_confirmed",
        "accounts",
        "UPDATE",
        f"({_BECOMES_PRIVILEGED}) AND {_UNCONFIRMED}",
        "change_unconfirmed",
    ),
    Trigger(
        "account_change_stays",
        "account_changes",
        "UPDATE",
        "OLD.decided_at IS NOT NULL OR CAST(OLD.centres AS TEXT) <> CAST(NEW.centres AS TEXT) OR "
        + _changed("id", "account", "action", "roles", "asked_by", "asked_at"),
        "immutable",
    ),
    Trigger("account_change_is_kept", "account_changes", "DELETE", "1 = 1", "immutable"),
    Trigger("approval_stays", "approvals", "UPDATE", "1 = 1", "immutable"),
    Trigger("approval_is_kept", "approvals", "DELETE", "1 = 1", "immutable"),
    Trigger("snapshot_stays", "snapshots", "UPDATE", "1 = 1", "immutable"),
    Trigger("snapshot_is_kept", "snapshots", "DELETE", "1 = 1", "immutable"),
    Trigger("ground_stays", "certificate_grounds", "UPDATE", "1 = 1", "immutable"),
    Trigger("ground_is_kept", "certificate_grounds", "DELETE", "1 = 1", "immutable"),
    Trigger("editor_stays", "application_editors", "UPDATE", "1 = 1", "immutable"),
    Trigger("editor_is_kept", "application_editors", "DELETE", "1 = 1", "immutable"),
    Trigger("application_identity_stays", "applications", "UPDATE", _changed("id", "number", "owner"), "immutable"),
    # Approvals of an earlier round stay behind, and how many are needed is not changed while some are given.
    Trigger(
        "application_terms_stay",
        "applications",
        "UPDATE",
        "NEW.round < OLD.round OR (OLD.approvals_required IS DISTINCT FROM NEW.approvals_required"
        " AND EXISTS (SELECT 1 FROM approvals p WHERE p.application = NEW.id AND p.round = NEW.round))",
        "immutable",
    ),
    # Invariants 3 and 12. Editors and accounts are looked at again: an approver may have become an editor, or have been
    # thrown out, since.
    Trigger(
        "certificate_is_approved",
        "certificates",
        "INSERT",
        "NEW.application IS NOT NULL AND (SELECT count(DISTINCT p.approver) FROM approvals p"
        " JOIN applications a ON a.id = p.application AND a.round = p.round AND a.owner <> p.approver"
        " JOIN accounts c ON c.id = p.approver AND c.active"
        " WHERE p.application = NEW.application AND p.digest = NEW.approval_digest"
        " AND NOT EXISTS (SELECT 1 FROM application_editors e"
        " WHERE e.application = p.application AND e.account = p.approver))"
        " < (SELECT a.approvals_required FROM applications a WHERE a.id = NEW.application)",
        "approvals_missing",
    ),
    Trigger(
        "certificate_begins_as_intent",
        "certificates",
        "INSERT",
        f"NOT (NEW.import_id IS NULL AND NEW.state = 'intent' AND NEW.der IS NULL OR {_IMPORTED})",
        "certificate_step",
    ),
    Trigger(
        "certificate_content_stays",
        "certificates",
        "UPDATE",
        _changed(
            "id",
            "issuer",
            "serial",
            "profile",
            "profile_version",
            "profile_digest",
            "application",
            "approval_digest",
            "owner",
            "subject",
            "tbs",
            "tbs_sha256",
            "spki_sha256",
            "not_before",
            "not_after",
            "partition",
            "replaces",
            "created_at",
        )
        + " OR (OLD.der IS NOT NULL AND (OLD.der IS DISTINCT FROM NEW.der OR OLD.sha256 IS DISTINCT FROM NEW.sha256"
        " OR OLD.issued_at IS DISTINCT FROM NEW.issued_at))",
        "immutable",
    ),
    Trigger(
        "certificate_steps",
        "certificates",
        "UPDATE",
        # A signature comes with the step from intent to issued, or never: nothing given up is signed after all.
        f"NOT ({_CERTIFICATE_STEPS}) OR (NEW.state IN ('issued', 'held', 'revoked') AND NEW.der IS NULL)"
        " OR (OLD.der IS NULL AND NEW.der IS NOT NULL AND NEW.state <> 'issued')",
        "certificate_step",
    ),
    # Invariant 14: of what is revoked or given up only the reason changes, and only to keyCompromise (1).
    Trigger(
        "certificate_stays_revoked",
        "certificates",
        "UPDATE",
        "OLD.state IN ('revoked', 'abandoned')"
        " AND ((OLD.reason IS DISTINCT FROM NEW.reason AND NEW.reason IS DISTINCT FROM 1)"
        " OR OLD.revoked_at IS DISTINCT FROM NEW.revoked_at)",
        "certificate_step",
    ),
    Trigger("certificate_is_kept", "certificates", "DELETE", "1 = 1", "immutable"),
    Trigger(
        "certificate_origin_stays",
        "certificates",
        "UPDATE",
        _changed("import_id", "imported_status"),
        "immutable",
        since="imports",
    ),
    Trigger("import_begins_open", "imports", "INSERT", "NEW.count IS NOT NULL", "import_open"),
    Trigger(
        "import_stays",
        "imports",
        "UPDATE",
        "OLD.count IS NOT NULL OR " + _changed("id", "issuer", "owner", "at", "taken_by"),
        "immutable",
    ),
    Trigger(
        "import_is_counted",
        "imports",
        "UPDATE",
        "NEW.digest IS NULL OR NEW.count IS NULL"
        " OR NEW.count <> (SELECT count(*) FROM certificates c WHERE c.import_id = NEW.id)",
        "import_open",
    ),
    # Invariants 12 and 14: one person alone revokes no multitude, and not another one than was approved.
    Trigger(
        "mass_revocation_begins_unapproved",
        "mass_revocations",
        "INSERT",
        "NEW.approved_by IS NOT NULL OR NEW.done <> 0 OR NEW.revoked <> 0 OR NEW.finished_at IS NOT NULL",
        "mass_unapproved",
    ),
    Trigger("mass_revocation_by_two", "mass_revocations", "UPDATE", "NEW.approved_by = OLD.asked_by", "self_approval"),
    Trigger(
        "mass_revocation_is_approved",
        "mass_revocations",
        "UPDATE",
        "(NEW.done <> OLD.done OR NEW.revoked <> OLD.revoked OR NEW.finished_at IS NOT NULL)"
        " AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.id = NEW.approved_by AND a.active)",
        "mass_unapproved",
    ),
    Trigger(
        "mass_revocation_stays",
        "mass_revocations",
        "UPDATE",
        "CAST(OLD.selection AS TEXT) <> CAST(NEW.selection AS TEXT) OR OLD.finished_at IS NOT NULL"
        " OR NEW.done < OLD.done OR (OLD.approved_by IS NOT NULL AND ("
        + _changed("approved_by", "approved_at")
        + ")) OR "
        + _changed("id", "reason", "invalidity_date", "words", "count", "digest", "asked_by", "asked_at"),
        "immutable",
    ),
    Trigger("mass_revocation_is_kept", "mass_revocations", "DELETE", "1 = 1", "immutable"),
    Trigger(
        "member_before_approval",
        "mass_revocation_members",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM mass_revocations m WHERE m.id = NEW.revocation AND m.approved_by IS NULL)",
        "immutable",
    ),
    Trigger("member_stays", "mass_revocation_members", "UPDATE", "1 = 1", "immutable"),
    Trigger("member_is_kept", "mass_revocation_members", "DELETE", "1 = 1", "immutable"),
    Trigger("import_is_kept", "imports", "DELETE", "1 = 1", "immutable"),
    # Invariant 7
    Trigger("audit_record_stays", "audit_records", "UPDATE", "1 = 1", "immutable"),
    Trigger("audit_record_is_kept", "audit_records", "DELETE", "1 = 1", "immutable"),
    Trigger("audit_checkpoint_stays", "audit_checkpoints", "UPDATE", "1 = 1", "immutable"),
    Trigger("audit_checkpoint_is_kept", "audit_checkpoints", "DELETE", "1 = 1", "immutable"),
    # Invariant 8
    Trigger(
        "crl_number_increases",
        "published_crls",
        "INSERT",
        "EXISTS (SELECT 1 FROM published_crls c WHERE c.authority = NEW.authority AND c.partition = NEW.partition"
        " AND c.number >= NEW.number)",
        "crl_number",
    ),
    Trigger("crl_stays", "published_crls", "UPDATE", "1 = 1", "immutable"),
    Trigger("crl_is_kept", "published_crls", "DELETE", "1 = 1", "immutable"),
    Trigger("counter_increases", "counters", "UPDATE", "NEW.value <= OLD.value OR NEW.name <> OLD.name", "counter"),
    Trigger("counter_is_kept", "counters", "DELETE", "1 = 1", "immutable"),
    # Tokens follow each other without gaps, and time does not go back (RFC 3161 §2.4.2).
    Trigger(
        "timestamp_in_its_place",
        "timestamps",
        "INSERT",
        "NEW.sequence <> (SELECT coalesce(max(t.sequence), 0) + 1 FROM timestamps t)"
        " OR NEW.gen_time < (SELECT max(t.gen_time) FROM timestamps t WHERE t.tsa = NEW.tsa)",
        "timestamp_place",
    ),
    Trigger("timestamp_stays", "timestamps", "UPDATE", "1 = 1", "immutable"),
    Trigger("timestamp_is_kept", "timestamps", "DELETE", "1 = 1", "immutable"),
    Trigger(
        "document_content_stays",
        "documents",
        "UPDATE",
        _changed(
            "id",
            "application",
            "kind",
            "filename",
            "media_type",
            "size",
            "pages",
            "sha256",
            "uploaded_by",
            "uploaded_at",
        )
        + " OR (OLD.wrapped_key IS NULL AND NEW.wrapped_key IS NOT NULL)",
        "immutable",
    ),
    Trigger("document_is_kept", "documents", "DELETE", "1 = 1", "immutable"),
    Trigger("application_is_kept", "applications", "DELETE", "1 = 1", "immutable"),
    # Told is told: a notice is queued, then sent.
    Trigger(
        "notice_stays",
        "notices",
        "UPDATE",
        "CAST(OLD.context AS TEXT) <> CAST(NEW.context AS TEXT)"
        " OR (OLD.state <> 'queued' AND (OLD.state <> NEW.state OR OLD.sent_at IS DISTINCT FROM NEW.sent_at)) OR "
        + _changed("id", "account", "kind", "application", "created_at"),
        "immutable",
    ),
    Trigger("notice_is_kept", "notices", "DELETE", "1 = 1", "immutable"),
    Trigger("blocked_key_stays", "blocked_keys", "UPDATE", "1 = 1", "immutable"),
    Trigger("blocked_key_is_kept", "blocked_keys", "DELETE", "1 = 1", "immutable"),
)


_LISTED = "{}.state IN ('held', 'revoked', 'abandoned')"
# Each stands in the complete list, and in that of its partition where it has one.
_NOTE_CHANGE = (
    "INSERT INTO crl_changes (authority, partition, certificate) SELECT NEW.issuer, 0, NEW.id"
    " UNION ALL SELECT NEW.issuer, NEW.partition, NEW.id WHERE NEW.partition <> 0"
)

NOTES = (
    # What delta lists are made from: no change of an entry is left out, however it came about.
    Note(
        "crl_change_is_noted",
        "certificates",
        "UPDATE",
        f"({_LISTED.format('NEW')} OR {_LISTED.format('OLD')}) AND ("
        + _changed("state", "reason", "revoked_at", "invalidity_date")
        + ")",
        _NOTE_CHANGE,
    ),
    Note("crl_entry_is_noted", "certificates", "INSERT", _LISTED.format("NEW"), _NOTE_CHANGE),
)


def create(connection: Connection) -> None:
    """Create every trigger whose tables there are; after migrations, which know of none and may have gone back."""
    tables = set(inspect(connection).get_table_names())
    for trigger in (*TRIGGERS, *NOTES):
        if not tables.issuperset(trigger.tables()):
            continue
        for statement in trigger.statements(connection.dialect.name):
            connection.exec_driver_sql(statement)


def drop(connection: Connection) -> None:
    """Drop what there is of them; before migrations, or SQLite would not alter tables that they name."""
    for trigger in (*TRIGGERS, *NOTES):
        connection.exec_driver_sql(trigger.removal(connection.dialect.name))


def missing(connection: Connection) -> list[str]:
    """Names of triggers that the database lacks, has switched off, or has in other words than these."""
    dialect = connection.dialect.name
    catalogue = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        if dialect == "sqlite"
        else "SELECT t.tgname, '$$' || p.prosrc || '$$' FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
        " WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')"
    )
    present = {row[0]: row[1] for row in connection.execute(text(catalogue))}
    return [
        name
        for trigger in (*TRIGGERS, *NOTES)
        for name in trigger.names(dialect)
        if name not in present or present[name] not in next(iter(trigger.statements(dialect)))
    ]
