"""What was approved is kept, and when sealed documents were last opened.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

from ca_core.storage import columns

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('snapshots',
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('at', columns.Moment(), nullable=False),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_snapshots'))
    )
    op.add_column('documents', sa.Column('checked_at', columns.Moment(), nullable=True))


def downgrade() -> None:
    op.drop_column('documents', 'checked_at')
    op.drop_table('snapshots')
