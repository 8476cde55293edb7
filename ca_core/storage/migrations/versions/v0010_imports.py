"""Certificates taken over from another authority's software.

Revision ID: 0010
"""

import sqlalchemy as sa
from alembic import op

from ca_core.storage import columns

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

IMPORTED = sa.text("import_id IS NOT NULL")


def upgrade() -> None:
    op.create_table('imports',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('issuer', sa.Uuid(), nullable=False),
    sa.Column('owner', sa.Uuid(), nullable=False),
    sa.Column('at', columns.Moment(), nullable=False),
    sa.Column('taken_by', sa.Uuid(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=True),
    sa.Column('digest', sa.LargeBinary(length=32), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_imports'))
    )
    op.add_column('certificates', sa.Column('import_id', sa.Uuid(), nullable=True))
    op.add_column('certificates', sa.Column('imported_status', sa.String(length=100), nullable=True))
    op.create_index('ix_certificates_imported', 'certificates', ['import_id'], unique=False, sqlite_where=IMPORTED, postgresql_where=IMPORTED)


def downgrade() -> None:
    op.drop_index('ix_certificates_imported', table_name='certificates', sqlite_where=IMPORTED, postgresql_where=IMPORTED)
    op.drop_column('certificates', 'imported_status')
    op.drop_column('certificates', 'import_id')
    op.drop_table('imports')
