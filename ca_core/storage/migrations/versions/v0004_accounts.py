"""Log-in failures by account and source, and changes of accounts that two administrators make.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

from ca_core.storage import columns

revision = "0004"
down_revision = "0003"
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
    op.create_table('account_changes',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('account', sa.Uuid(), nullable=False),
    sa.Column('action', sa.String(length=64), nullable=False),
    sa.Column('roles', columns.Words(), nullable=False),
    sa.Column('centres', columns.Ids(), nullable=False),
    sa.Column('first_half_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('asked_by', sa.Uuid(), nullable=False),
    sa.Column('asked_at', columns.Moment(), nullable=False),
    sa.Column('confirmed_by', sa.Uuid(), nullable=True),
    sa.Column('decided_at', columns.Moment(), nullable=True),
    sa.Column('applied_version', sa.Integer(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint(
        "confirmed_by IS NULL OR asked_by = '00000000000000000000000000000000'"
        " OR (confirmed_by <> asked_by AND confirmed_by <> account AND asked_by <> account)",
        name=op.f('ck_account_changes_four_eyes')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_account_changes'))
    )
    op.create_index(op.f('ix_account_changes_account'), 'account_changes', ['account'], unique=False)
    op.drop_column('accounts', 'failed_logins')
    op.drop_column('accounts', 'locked_until')


def downgrade() -> None:
    op.drop_index(op.f('ix_account_changes_account'), table_name='account_changes')
    op.drop_table('account_changes')
    op.add_column('accounts', sa.Column('locked_until', columns.Moment(), nullable=True))
    op.add_column('accounts', sa.Column('failed_logins', sa.Integer(), nullable=False, server_default='0'))
    op.drop_index(op.f('ix_log_in_failures_since'), table_name='log_in_failures')
    op.drop_table('log_in_failures')
