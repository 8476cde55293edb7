"""Since when an application is in its state.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

from ca_core.storage import columns

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index('ix_applications_state_created_at', table_name='applications')
    op.add_column('applications', sa.Column('state_since', columns.Moment(), nullable=True))
    op.execute("UPDATE applications SET state_since = created_at")
    op.create_index('ix_applications_state_state_since', 'applications', ['state', 'state_since'], unique=False)
    op.create_index(op.f('ix_notices_application'), 'notices', ['application'], unique=False)
    # Some databases of version 0001 were made with these.
    op.create_index(op.f('ix_certificates_application'), 'certificates', ['application'], unique=False, if_not_exists=True)
    op.create_index('ix_certificates_revoked_serial', 'certificates', ['issuer', 'serial'], unique=False, sqlite_where=sa.text("state IN ('held', 'revoked', 'abandoned')"), postgresql_where=sa.text("state IN ('held', 'revoked', 'abandoned')"), if_not_exists=True)


def downgrade() -> None:
    op.drop_index(op.f('ix_certificates_application'), table_name='certificates')
    op.drop_index('ix_certificates_revoked_serial', table_name='certificates', sqlite_where=sa.text("state IN ('held', 'revoked', 'abandoned')"), postgresql_where=sa.text("state IN ('held', 'revoked', 'abandoned')"))
    op.drop_index(op.f('ix_notices_application'), table_name='notices')
    op.drop_index('ix_applications_state_state_since', table_name='applications')
    op.drop_column('applications', 'state_since')
    op.create_index('ix_applications_state_created_at', 'applications', ['state', 'created_at'], unique=False)
