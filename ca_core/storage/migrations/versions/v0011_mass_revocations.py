"""Revocations of many certificates at once, asked for by one person and approved by another.

Revision ID: 0011
"""

import sqlalchemy as sa
from alembic import op

from ca_core.storage import columns

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('mass_revocations',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('selection', columns.Document(), nullable=False),
    sa.Column('reason', columns.Number(), nullable=False),
    sa.Column('invalidity_date', columns.Moment(), nullable=True),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('asked_by', sa.Uuid(), nullable=False),
    sa.Column('asked_at', columns.Moment(), nullable=False),
    sa.Column('approved_by', sa.Uuid(), nullable=True),
    sa.Column('approved_at', columns.Moment(), nullable=True),
    sa.Column('done', sa.Integer(), nullable=False),
    sa.Column('revoked', sa.Integer(), nullable=False),
    sa.Column('finished_at', columns.Moment(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mass_revocations'))
    )
    op.create_table('mass_revocation_members',
    sa.Column('revocation', sa.Uuid(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('certificate', sa.Uuid(), nullable=False),
    sa.PrimaryKeyConstraint('revocation', 'position', name=op.f('pk_mass_revocation_members'))
    )


def downgrade() -> None:
    op.drop_table('mass_revocation_members')
    op.drop_table('mass_revocations')
