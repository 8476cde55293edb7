"""Hashes of issuers are made from their certificates, where CertIDs are compared; no copy is kept.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op

from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.ocsp import issuer_hashes

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

LENGTHS = {'sha1': 20, 'sha256': 32}


def upgrade() -> None:
    for digest in LENGTHS:
        op.drop_column('authorities', f'name_hash_{digest}')
        op.drop_column('authorities', f'key_hash_{digest}')


def downgrade() -> None:
    names = [f'{what}_hash_{digest}' for digest in LENGTHS for what in ('name', 'key')]
    for name in names:
        length = LENGTHS[name.rpartition('_')[2]]
        op.add_column('authorities', sa.Column(name, sa.LargeBinary(length), nullable=False, server_default=''))
    authorities = sa.table('authorities', *(sa.column(name) for name in ('id', 'certificate', *names)))
    connection = op.get_bind()
    for id, der in connection.execute(sa.select(authorities.c.id, authorities.c.certificate)).all():
        own = SignedCertificate.parse(der)
        hashes = [one for digest in LENGTHS for one in issuer_hashes(own.subject, own.public_key_info, digest)]
        connection.execute(
            sa.update(authorities).where(authorities.c.id == id).values(dict(zip(names, hashes, strict=True)))
        )
