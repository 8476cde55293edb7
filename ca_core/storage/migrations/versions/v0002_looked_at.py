"""Views of documents page by page, and who sent the certification request.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

from ca_core.storage import columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('applications', sa.Column('request_sent_by', sa.Uuid(), nullable=True))
    op.create_table('page_views',
    sa.Column('document', sa.Uuid(), nullable=False),
    sa.Column('account', sa.Uuid(), nullable=False),
    sa.Column('page', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.LargeBinary(length=32), nullable=False),
    sa.Column('at', columns.Moment(), nullable=False),
    sa.ForeignKeyConstraint(['document'], ['documents.id'], name=op.f('fk_page_views_document')),
    sa.PrimaryKeyConstraint('document', 'account', 'page', name=op.f('pk_page_views'))
    )
    # What is known of an earlier view is that it was of some page.
    op.execute("INSERT INTO page_views SELECT document, account, 1, sha256, at FROM document_views")
    op.drop_table('document_views')


def downgrade() -> None:
    op.create_table('document_views',
    sa.Column('document', sa.Uuid(), nullable=False),
    sa.Column('account', sa.Uuid(), nullable=False),
    sa.Column('sha256', sa.LargeBinary(length=32), nullable=False),
    sa.Column('at', columns.Moment(), nullable=False),
    sa.ForeignKeyConstraint(['document'], ['documents.id'], name=op.f('fk_document_views_document')),
    sa.PrimaryKeyConstraint('document', 'account', name=op.f('pk_document_views'))
    )
    op.execute(
        "INSERT INTO document_views SELECT v.document, v.account, v.sha256, min(v.at) FROM page_views v"
        " JOIN documents d ON d.id = v.document AND d.sha256 = v.sha256"
        " GROUP BY v.document, v.account, v.sha256, d.pages HAVING count(*) >= d.pages"
    )
    op.drop_table('page_views')
    op.drop_column('applications', 'request_sent_by')
