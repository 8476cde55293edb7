"""How alembic finds the database: it is handed a connection by ``ca_core.storage.schema``."""

from alembic import context

from ca_core.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
