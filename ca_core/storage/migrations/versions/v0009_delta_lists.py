"""Delta lists, and what every entry of a list is made from in the index that lists read.

Revision ID: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ON_LISTS = sa.text("state IN ('held', 'revoked', 'abandoned')")
INDEXES = {'ix_certificates_revoked': ['issuer', 'partition', 'serial'], 'ix_certificates_revoked_serial': ['issuer', 'serial']}
ENTRY = ['state', 'not_after', 'revoked_at', 'created_at', 'reason', 'invalidity_date']


def upgrade() -> None:
    for name, columns in INDEXES.items():
        op.drop_index(name, table_name='certificates')
        op.create_index(name, 'certificates', columns + ENTRY, unique=False, sqlite_where=ON_LISTS, postgresql_where=ON_LISTS)
    op.create_table('crl_changes',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('authority', sa.Uuid(), nullable=False),
    sa.Column('partition', sa.Integer(), nullable=False),
    sa.Column('certificate', sa.Uuid(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_crl_changes'))
    )
    op.create_index('ix_crl_changes_authority_partition', 'crl_changes', ['authority', 'partition'], unique=False)
    op.add_column('published_crls', sa.Column('base', sa.BigInteger(), nullable=True))
    op.add_column('published_crls', sa.Column('freshest', sa.Boolean(), server_default=sa.false(), nullable=False))
    if op.get_bind().dialect.name == 'postgresql':
        # Compressing fifty megabytes of random serial numbers takes longer than writing them.
        op.execute("ALTER TABLE published_crls ALTER COLUMN der SET STORAGE EXTERNAL")


def downgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute("ALTER TABLE published_crls ALTER COLUMN der SET STORAGE EXTENDED")
    # An earlier version would take them for full lists.
    op.execute("DELETE FROM published_crls WHERE base IS NOT NULL")
    op.drop_column('published_crls', 'freshest')
    op.drop_column('published_crls', 'base')
    op.drop_index('ix_crl_changes_authority_partition', table_name='crl_changes')
    op.drop_table('crl_changes')
    for name, columns in INDEXES.items():
        op.drop_index(name, table_name='certificates')
        op.create_index(name, 'certificates', columns, unique=False, sqlite_where=ON_LISTS, postgresql_where=ON_LISTS)
