"""Time-stamp tokens.

Revision ID: 0012
"""

import sqlalchemy as sa
from alembic import op

from ca_core.storage import columns

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('timestamps',
    sa.Column('sequence', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('tsa', sa.Uuid(), nullable=False),
    sa.Column('serial', columns.SerialNumber(), nullable=False),
    sa.Column('gen_time', columns.Moment(), nullable=False),
    sa.Column('policy', sa.String(length=255), nullable=False),
    sa.Column('hash_algorithm', sa.String(length=16), nullable=False),
    sa.Column('imprint_sha256', sa.LargeBinary(length=32), nullable=False),
    sa.Column('requested_by', sa.Uuid(), nullable=False),
    sa.Column('der', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('sequence', name=op.f('pk_timestamps')),
    sa.UniqueConstraint('serial', name=op.f('uq_timestamps_serial'))
    )
    op.create_index('ix_timestamps_imprint_sha256', 'timestamps', ['imprint_sha256'], unique=False)
    op.create_index('ix_timestamps_requested_by_sequence', 'timestamps', ['requested_by', 'sequence'], unique=False)
    op.create_index('ix_timestamps_tsa_gen_time', 'timestamps', ['tsa', 'gen_time'], unique=False)


def downgrade() -> None:
    op.drop_table('timestamps')
