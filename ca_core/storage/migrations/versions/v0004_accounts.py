"""Log-in failures by account and source, in place of one count for each account.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

from ca_core.storage import columns

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('log_in_failures',
    sa.Column('account', sa.Uuid(), nullable=False),
    sa.Column('source_sha256', sa.LargeBinary(length=32), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('since', columns.Moment(), nullable=False),
    sa.Column('locked_until', columns.Moment(), nullable=True),
    sa.Column('last_success', columns.Moment(), nullable=True),
    sa.ForeignKeyConstraint(['account'], ['accounts.id'], name=op.f('fk_log_in_failures_account')),
    sa.PrimaryKeyConstraint('account', 'source_sha256', name=op.f('pk_log_in_failures'))
    )
    op.create_index(op.f('ix_log_in_failures_since'), 'log_in_failures', ['since'], unique=False)
    op.drop_column('accounts', 'failed_logins')
    op.drop_column('accounts', 'locked_until')


def downgrade() -> None:
    op.add_column('accounts', sa.Column('locked_until', columns.Moment(), nullable=True))
    op.add_column('accounts', sa.Column('failed_logins', sa.Integer(), nullable=False, server_default='0'))
    op.drop_index(op.f('ix_log_in_failures_since'), table_name='log_in_failures')
    op.drop_table('log_in_failures')
