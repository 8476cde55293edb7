"""Which API token another was made by.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('api_tokens', sa.Column('made_by', sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column('api_tokens', 'made_by')
