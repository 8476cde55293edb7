"""The desk where documents come in and are shown: checked, sealed, drawn anew for whoever looks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

from ca_core.domain.access import Actor, Permission
from ca_core.domain.application import Application, ApplicationState
from ca_core.domain.document import Document, DocumentState
from ca_core.domain.errors import DocumentRejected, IntegrityAlarm, InvalidInput, NotFound
from ca_core.services.notices import notify
from ca_core.services.ports import (
    DocumentInspector,
    Inspection,
    MalwareScanner,
    ObjectStore,
    PageRenderer,
    Profiles,
    StoredObject,
    Transaction,
    Transactions,
)
from ca_core.services.review_round import carry_checks, reopened


class DocumentDesk:
    """Uploads in, pages out. The bytes as received are kept; nobody is shown anything but freshly drawn pages."""

    def __init__(
        self,
        transactions: Transactions,
        profiles: Profiles,
        *,
        inspector: DocumentInspector,
        renderer: PageRenderer,
        scanner: MalwareScanner | None,
        store: ObjectStore,
    ) -> None:
        self._transactions = transactions
        self._profiles = profiles
        self._inspector = inspector
        self._renderer = renderer
        self._scanner = scanner
        self._store = store

    def attach(self, actor: Actor, application_id: UUID, *, kind: str, filename: str, data: bytes) -> Document:
        """Take an upload; it supersedes an earlier one of its kind. Possible until the decision.

        DocumentRejected says what is wrong with the file; InvalidInput when the profile asks for no such document."""
        actor.require(Permission.DOCUMENT_UPLOAD)
        with self._transactions.read(actor) as tx:
            application = reopened(tx.applications.get(application_id, seen_by=actor.visibility), at=tx.now)
            _refuse_again(tx.documents.of(application_id), kind, hashlib.sha256(data).digest())
            id = tx.new_id()
        kinds = [rule.kind for rule in self._profiles.pinned(application).evidence]
        if kind not in kinds:
            raise InvalidInput(f"this profile asks for no such document; it knows {', '.join(kinds) or 'none'}")
        # Everything slow or hostile happens outside of the transaction, in processes of its own.
        found = self._inspector.inspect(data, filename=filename)
        if self._scanner is not None:
            self._scanner.scan(data)
        stored = self._store.put(id, application.owner, data)
        with self._transactions.begin(actor) as tx, self._only_if_filed(id):
            application = tx.applications.get(application_id, seen_by=actor.visibility)
            document = self._filed(tx, actor, application, id=id, kind=kind, found=found, stored=stored)
            tx.applications.add_editor(application_id, actor.id)
            return document

    def carry_over(self, actor: Actor, source: Document, application_id: UUID) -> Document:
        """File an accepted document again under a replacement's application; it is looked at again there."""
        with self._transactions.read(actor) as tx:
            original = tx.applications.get(source.application, seen_by=actor.visibility)
            id = tx.new_id()
        stored = self._store.put(id, original.owner, self._plaintext(source, original.owner))
        found = Inspection(media_type=source.media_type, filename=source.filename, pages=source.pages)
        with self._transactions.begin(actor) as tx, self._only_if_filed(id):
            application = tx.applications.get(application_id, seen_by=actor.visibility)
            return self._filed(
                tx,
                actor,
                application,
                id=id,
                kind=source.kind,
                found=found,
                stored=stored,
                carried_from=source.id,
            )

    def get(self, actor: Actor, id: UUID) -> Document:
        actor.require(Permission.DOCUMENT_VIEW)
        with self._transactions.read(actor) as tx:
            return tx.documents.get(id, seen_by=actor.visibility)

    def original(self, actor: Actor, id: UUID) -> tuple[Document, bytes]:
        """The bytes as received, verified against the digest on record; the access is recorded."""
        document, owner = self._visible(actor, id)
        data = self._plaintext(document, owner)
        with self._transactions.begin(actor) as tx:
            tx.audit.record("document.downloaded", "document", id, sha256=document.sha256.hex())
        return document, data

    def page(self, actor: Actor, id: UUID, number: int) -> bytes:
        """One page (from 1) as PNG. That the caller was shown it goes on record: approving needs every page."""
        document, owner = self._visible(actor, id)
        if not 1 <= number <= document.pages:
            raise NotFound(f"the document has pages 1 to {document.pages}")
        picture = self._renderer.render(self._plaintext(document, owner), media_type=document.media_type, page=number)
        with self._transactions.begin(actor) as tx:
            if number not in tx.documents.pages_viewed(id, actor.id):
                tx.documents.add_view(id, actor.id, number, document.sha256, tx.now)
                tx.audit.record(
                    "document.viewed",
                    "document",
                    id,
                    sha256=document.sha256.hex(),
                    page=number,
                    of=document.pages,
                )
        return picture

    def _visible(self, actor: Actor, id: UUID) -> tuple[Document, UUID]:
        actor.require(Permission.DOCUMENT_VIEW)
        with self._transactions.read(actor) as tx:
            document = tx.documents.get(id, seen_by=actor.visibility)
            return document, tx.applications.get(document.application, seen_by=actor.visibility).owner

    def _plaintext(self, document: Document, owner: UUID) -> bytes:
        if document.wrapped_key is None:
            raise NotFound("the document was destroyed when its retention ended")
        data = self._store.get(document.id, owner, wrapped_key=document.wrapped_key, key_id=document.key_id)
        if hashlib.sha256(data).digest() != document.sha256:
            raise IntegrityAlarm(f"document {document.id} is not what was received")
        return data

    @contextmanager
    def _only_if_filed(self, id: UUID) -> Iterator[None]:
        """Within the transaction: what is refused there leaves no file. A commit that fails does, until it is swept
        up, since a commit whose answer was lost may have filed the document all the same."""
        try:
            yield
        except Exception:
            self._store.destroy(id)
            raise

    def _filed(
        self,
        tx: Transaction,
        actor: Actor,
        application: Application,
        *,
        id: UUID,
        kind: str,
        found: Inspection,
        stored: StoredObject,
        carried_from: UUID | None = None,
    ) -> Document:
        """Record it and supersede what it replaces; the application gets a new version, so that a decision made on
        the old state is refused."""
        reopening = reopened(application, at=tx.now)
        before = tx.documents.of(application.id)
        _refuse_again(before, kind, stored.sha256)
        for earlier in before:
            if earlier.kind == kind and earlier.counts:
                tx.documents.replace(replace(earlier, state=DocumentState.SUPERSEDED))
                tx.audit.record("document.superseded", "document", earlier.id, by=str(id))
        document = Document(
            id=id,
            application=application.id,
            kind=kind,
            filename=found.filename,
            media_type=found.media_type,
            size=stored.size,
            pages=found.pages,
            sha256=stored.sha256,
            wrapped_key=stored.wrapped_key,
            key_id=stored.key_id,
            uploaded_by=actor.id,
            uploaded_at=tx.now,
        )
        tx.documents.add(document)
        carry_checks(tx, application, tx.applications.replace(reopening))
        if reopening.round != application.round:
            tx.audit.record("application.reopened", "application", application.id, round=reopening.round)
        if actor.id != application.owner and application.state is not ApplicationState.DRAFT:
            notify(tx, application.owner, "application-changed", application=application)
        tx.audit.record(
            "document.attached",
            "document",
            id,
            application=str(application.id),
            kind=kind,
            sha256=stored.sha256.hex(),
            **({} if carried_from is None else {"carried_from": str(carried_from)}),
        )
        return document


def _refuse_again(filed: Sequence[Document], kind: str, sha256: bytes) -> None:
    for document in filed:
        if document.kind == kind and document.state is DocumentState.REFUSED and document.sha256 == sha256:
            raise DocumentRejected("this is the file that was refused; send a corrected one")
