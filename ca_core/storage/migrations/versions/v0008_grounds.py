"""Why the status of a certificate was changed, in words; since when an e-mail address is known to be right.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op

from ca_core.storage import columns

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('certificate_grounds',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('certificate', sa.Uuid(), nullable=False),
    sa.Column('action', sa.String(length=32), nullable=False),
    sa.Column('by', sa.String(length=254), nullable=False),
    sa.Column('at', columns.Moment(), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_certificate_grounds'))
    )
    op.create_index(op.f('ix_certificate_grounds_certificate'), 'certificate_grounds', ['certificate'], unique=False)
    op.add_column('accounts', sa.Column('email_confirmed_at', columns.Moment(), nullable=True))
    # Nobody was asked before; whoever is in the middle of something goes on.
    op.execute("UPDATE accounts SET email_confirmed_at = created_at")


def downgrade() -> None:
    op.drop_column('accounts', 'email_confirmed_at')
    op.drop_index(op.f('ix_certificate_grounds_certificate'), table_name='certificate_grounds')
    op.drop_table('certificate_grounds')
