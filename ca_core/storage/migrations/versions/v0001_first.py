"""The first schema.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

from ca_core.storage import columns

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('accounts',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('roles', columns.Words(), nullable=False),
    sa.Column('centres', columns.Ids(), nullable=False),
    sa.Column('password_hash', sa.String(length=300), nullable=False),
    sa.Column('totp_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('totp_last_step', sa.Integer(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('failed_logins', sa.Integer(), nullable=False),
    sa.Column('locked_until', columns.Moment(), nullable=True),
    sa.Column('created_at', columns.Moment(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('staff', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_accounts')),
    sa.UniqueConstraint('email', name=op.f('uq_accounts_email'))
    )
    op.create_index(op.f('ix_accounts_staff'), 'accounts', ['staff'], unique=False)
    op.create_table('audit_checkpoints',
    sa.Column('sequence', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('at', columns.Moment(), nullable=False),
    sa.Column('key_reference', sa.String(length=64), nullable=False),
    sa.Column('public_key_info', sa.LargeBinary(), nullable=False),
    sa.Column('signature', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('sequence', name=op.f('pk_audit_checkpoints'))
    )
    op.create_table('audit_records',
    sa.Column('sequence', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('at', columns.Moment(), nullable=False),
    sa.Column('actor', sa.Uuid(), nullable=False),
    sa.Column('actor_name', sa.String(length=254), nullable=False),
    sa.Column('action', sa.String(length=64), nullable=False),
    sa.Column('object_kind', sa.String(length=32), nullable=False),
    sa.Column('object_id', sa.String(length=64), nullable=False),
    sa.Column('details', columns.Document(), nullable=False),
    sa.Column('previous', sa.LargeBinary(length=32), nullable=False),
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('key_id', sa.String(length=64), nullable=False),
    sa.Column('mac', sa.LargeBinary(length=32), nullable=False),
    sa.PrimaryKeyConstraint('sequence', name=op.f('pk_audit_records')),
    sa.UniqueConstraint('previous', name=op.f('uq_audit_records_previous'))
    )
    op.create_index('ix_audit_records_object_id_sequence', 'audit_records', ['object_id', 'sequence'], unique=False)
    op.create_table('blocked_keys',
    sa.Column('spki_sha256', sa.LargeBinary(length=32), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('at', columns.Moment(), nullable=False),
    sa.PrimaryKeyConstraint('spki_sha256', name=op.f('pk_blocked_keys'))
    )
    op.create_table('centres',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('code', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_centres')),
    sa.UniqueConstraint('code', name=op.f('uq_centres_code'))
    )
    op.create_table('counters',
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('value', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_counters'))
    )
    op.create_table('jobs',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('arguments', columns.Document(), nullable=False),
    sa.Column('dedupe_key', sa.String(length=200), nullable=True),
    sa.Column('state', columns.Choice(), nullable=False),
    sa.Column('run_at', columns.Moment(), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('max_attempts', sa.Integer(), nullable=False),
    sa.Column('worker', sa.String(length=100), nullable=True),
    sa.Column('lease_until', columns.Moment(), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=False),
    sa.Column('created_at', columns.Moment(), nullable=False),
    sa.Column('finished_at', columns.Moment(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_jobs')),
    sa.UniqueConstraint('dedupe_key', name=op.f('uq_jobs_dedupe_key'))
    )
    op.create_index('ix_jobs_state_run_at', 'jobs', ['state', 'run_at'], unique=False)
    op.create_table('notices',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('account', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('context', columns.Document(), nullable=False),
    sa.Column('state', columns.Choice(), nullable=False),
    sa.Column('application', sa.Uuid(), nullable=True),
    sa.Column('created_at', columns.Moment(), nullable=False),
    sa.Column('sent_at', columns.Moment(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notices'))
    )
    op.create_index('ix_notices_account_id', 'notices', ['account', 'id'], unique=False)
    op.create_table('remembered_answers',
    sa.Column('account', sa.Uuid(), nullable=False),
    sa.Column('key', sa.String(length=128), nullable=False),
    sa.Column('request_sha256', sa.LargeBinary(length=32), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('created_at', columns.Moment(), nullable=False),
    sa.PrimaryKeyConstraint('account', 'key', name=op.f('pk_remembered_answers'))
    )
    op.create_index(op.f('ix_remembered_answers_created_at'), 'remembered_answers', ['created_at'], unique=False)
    op.create_table('api_tokens',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('account', sa.Uuid(), nullable=False),
    sa.Column('label', sa.String(length=200), nullable=False),
    sa.Column('token_sha256', sa.LargeBinary(length=32), nullable=False),
    sa.Column('scopes', columns.Words(), nullable=False),
    sa.Column('created_at', columns.Moment(), nullable=False),
    sa.Column('expires_at', columns.Moment(), nullable=False),
    sa.Column('revoked_at', columns.Moment(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['account'], ['accounts.id'], name=op.f('fk_api_tokens_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_tokens')),
    sa.UniqueConstraint('token_sha256', name=op.f('uq_api_tokens_token_sha256'))
    )
    op.create_index(op.f('ix_api_tokens_account'), 'api_tokens', ['account'], unique=False)
    op.create_table('applications',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.String(length=32), nullable=False),
    sa.Column('owner', sa.Uuid(), nullable=False),
    sa.Column('centre', sa.Uuid(), nullable=False),
    sa.Column('profile', sa.String(length=128), nullable=False),
    sa.Column('profile_version', sa.String(length=64), nullable=False),
    sa.Column('profile_digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('approvals_required', sa.Integer(), nullable=False),
    sa.Column('subject', columns.Document(), nullable=False),
    sa.Column('san', columns.Names(), nullable=False),
    sa.Column('identification', sa.String(length=64), nullable=True),
    sa.Column('replaces', sa.Uuid(), nullable=True),
    sa.Column('circumstance', sa.String(length=32), nullable=True),
    sa.Column('state', columns.Choice(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('submitted_at', columns.Moment(), nullable=True),
    sa.Column('clock_consumed', columns.Duration(), nullable=False),
    sa.Column('clock_running_since', columns.Moment(), nullable=True),
    sa.Column('due_at', columns.Moment(), nullable=True),
    sa.Column('clock_stage', sa.String(length=16), nullable=False),
    sa.Column('claimed_by', sa.Uuid(), nullable=True),
    sa.Column('claim_expires', columns.Moment(), nullable=True),
    sa.Column('request_der', sa.LargeBinary(), nullable=True),
    sa.Column('certificate', sa.Uuid(), nullable=True),
    sa.Column('created_at', columns.Moment(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('search', sa.Text(), nullable=False),
    sa.CheckConstraint('approvals_required IN (1, 2)', name=op.f('ck_applications_approvals_required')),
    sa.ForeignKeyConstraint(['centre'], ['centres.id'], name=op.f('fk_applications_centre')),
    sa.ForeignKeyConstraint(['owner'], ['accounts.id'], name=op.f('fk_applications_owner')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_applications')),
    sa.UniqueConstraint('number', name=op.f('uq_applications_number'))
    )
    op.create_index('ix_applications_centre_state_due_at', 'applications', ['centre', 'state', 'due_at'], unique=False)
    op.create_index(op.f('ix_applications_claimed_by'), 'applications', ['claimed_by'], unique=False)
    op.create_index(op.f('ix_applications_clock_running_since'), 'applications', ['clock_running_since'], unique=False)
    op.create_index('ix_applications_owner_id', 'applications', ['owner', 'id'], unique=False)
    op.create_index(op.f('ix_applications_replaces'), 'applications', ['replaces'], unique=False)
    op.create_index('ix_applications_state_created_at', 'applications', ['state', 'created_at'], unique=False)
    op.create_table('web_sessions',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('token_sha256', sa.LargeBinary(length=32), nullable=False),
    sa.Column('account', sa.Uuid(), nullable=True),
    sa.Column('data', columns.Document(), nullable=False),
    sa.Column('created_at', columns.Moment(), nullable=False),
    sa.Column('seen_at', columns.Moment(), nullable=False),
    sa.Column('authenticated_at', columns.Moment(), nullable=True),
    sa.Column('expires_at', columns.Moment(), nullable=False),
    sa.ForeignKeyConstraint(['account'], ['accounts.id'], name=op.f('fk_web_sessions_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_web_sessions')),
    sa.UniqueConstraint('token_sha256', name=op.f('uq_web_sessions_token_sha256'))
    )
    op.create_index(op.f('ix_web_sessions_account'), 'web_sessions', ['account'], unique=False)
    op.create_index(op.f('ix_web_sessions_expires_at'), 'web_sessions', ['expires_at'], unique=False)
    op.create_table('application_editors',
    sa.Column('application', sa.Uuid(), nullable=False),
    sa.Column('account', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['application'], ['applications.id'], name=op.f('fk_application_editors_application')),
    sa.PrimaryKeyConstraint('application', 'account', name=op.f('pk_application_editors'))
    )
    op.create_table('approvals',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('application', sa.Uuid(), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('approver', sa.Uuid(), nullable=False),
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('at', columns.Moment(), nullable=False),
    sa.ForeignKeyConstraint(['application'], ['applications.id'], name=op.f('fk_approvals_application')),
    sa.ForeignKeyConstraint(['approver'], ['accounts.id'], name=op.f('fk_approvals_approver')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_approvals')),
    sa.UniqueConstraint('application', 'round', 'approver', name=op.f('uq_approvals_application_round_approver'))
    )
    op.create_table('certificates',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('issuer', sa.Uuid(), nullable=False),
    sa.Column('serial', columns.SerialNumber(), nullable=False),
    sa.Column('state', columns.Choice(), nullable=False),
    sa.Column('profile', sa.String(length=128), nullable=False),
    sa.Column('profile_version', sa.String(length=64), nullable=False),
    sa.Column('profile_digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('application', sa.Uuid(), nullable=True),
    sa.Column('approval_digest', sa.LargeBinary(length=32), nullable=True),
    sa.Column('owner', sa.Uuid(), nullable=False),
    sa.Column('centre', sa.Uuid(), nullable=True),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('tbs', sa.LargeBinary(), nullable=False),
    sa.Column('tbs_sha256', sa.LargeBinary(length=32), nullable=False),
    sa.Column('der', sa.LargeBinary(), nullable=True),
    sa.Column('sha256', sa.LargeBinary(length=32), nullable=True),
    sa.Column('spki_sha256', sa.LargeBinary(length=32), nullable=False),
    sa.Column('not_before', columns.Moment(), nullable=False),
    sa.Column('not_after', columns.Moment(), nullable=False),
    sa.Column('partition', sa.Integer(), nullable=False),
    sa.Column('replaces', sa.Uuid(), nullable=True),
    sa.Column('created_at', columns.Moment(), nullable=False),
    sa.Column('issued_at', columns.Moment(), nullable=True),
    sa.Column('revoked_at', columns.Moment(), nullable=True),
    sa.Column('reason', columns.Number(), nullable=True),
    sa.Column('held_by', sa.Uuid(), nullable=True),
    sa.Column('invalidity_date', columns.Moment(), nullable=True),
    sa.Column('report_code_sha256', sa.LargeBinary(length=32), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('search', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['application'], ['applications.id'], name=op.f('fk_certificates_application')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_certificates')),
    sa.UniqueConstraint('issuer', 'serial', name=op.f('uq_certificates_issuer_serial')),
    sa.UniqueConstraint('report_code_sha256', name=op.f('uq_certificates_report_code_sha256')),
    sa.UniqueConstraint('sha256', name=op.f('uq_certificates_sha256'))
    )
    op.create_index('ix_certificates_centre_id', 'certificates', ['centre', 'id'], unique=False)
    op.create_index(op.f('ix_certificates_issued_at'), 'certificates', ['issued_at'], unique=False)
    op.create_index('ix_certificates_open_intents', 'certificates', ['created_at'], unique=False, sqlite_where=sa.text("state = 'intent'"), postgresql_where=sa.text("state = 'intent'"))
    op.create_index('ix_certificates_owner_id', 'certificates', ['owner', 'id'], unique=False)
    op.create_index('ix_certificates_revoked', 'certificates', ['issuer', 'partition', 'serial'], unique=False, sqlite_where=sa.text("state IN ('held', 'revoked', 'abandoned')"), postgresql_where=sa.text("state IN ('held', 'revoked', 'abandoned')"))
    op.create_index('ix_certificates_serial', 'certificates', ['serial'], unique=False)
    op.create_index(op.f('ix_certificates_spki_sha256'), 'certificates', ['spki_sha256'], unique=False)
    op.create_index('uq_certificates_live_application', 'certificates', ['application'], unique=True, sqlite_where=sa.text("state <> 'abandoned'"), postgresql_where=sa.text("state <> 'abandoned'"))
    op.create_table('check_results',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('application', sa.Uuid(), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=128), nullable=False),
    sa.Column('mode', sa.String(length=16), nullable=False),
    sa.Column('verdict', sa.String(length=16), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('at', columns.Moment(), nullable=False),
    sa.Column('extra', columns.Document(), nullable=False),
    sa.ForeignKeyConstraint(['application'], ['applications.id'], name=op.f('fk_check_results_application')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_check_results'))
    )
    op.create_index('ix_check_results_application_round', 'check_results', ['application', 'round'], unique=False)
    op.create_table('documents',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('application', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('filename', sa.String(length=255), nullable=False),
    sa.Column('media_type', sa.String(length=64), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('pages', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.LargeBinary(length=32), nullable=False),
    sa.Column('wrapped_key', sa.LargeBinary(), nullable=True),
    sa.Column('key_id', sa.String(length=64), nullable=False),
    sa.Column('state', columns.Choice(), nullable=False),
    sa.Column('reason', sa.String(length=64), nullable=True),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('uploaded_by', sa.Uuid(), nullable=False),
    sa.Column('uploaded_at', columns.Moment(), nullable=False),
    sa.Column('decided_by', sa.Uuid(), nullable=True),
    sa.Column('decided_at', columns.Moment(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['application'], ['applications.id'], name=op.f('fk_documents_application')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_documents'))
    )
    op.create_index(op.f('ix_documents_application'), 'documents', ['application'], unique=False)
    op.create_table('authorities',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('kind', columns.Choice(), nullable=False),
    sa.Column('state', columns.Choice(), nullable=False),
    sa.Column('parent', sa.Uuid(), nullable=True),
    sa.Column('environment', columns.Choice(), nullable=False),
    sa.Column('key_reference', sa.String(length=64), nullable=False),
    sa.Column('signature_algorithm', columns.Choice(), nullable=False),
    sa.Column('certificate', sa.LargeBinary(), nullable=False),
    sa.Column('certificate_id', sa.Uuid(), nullable=False),
    sa.Column('key_identifier', sa.LargeBinary(length=20), nullable=False),
    sa.Column('name_hash_sha1', sa.LargeBinary(length=20), nullable=False),
    sa.Column('name_hash_sha256', sa.LargeBinary(length=32), nullable=False),
    sa.Column('key_hash_sha1', sa.LargeBinary(length=20), nullable=False),
    sa.Column('key_hash_sha256', sa.LargeBinary(length=32), nullable=False),
    sa.Column('partitions', sa.Integer(), nullable=False),
    sa.Column('not_before', columns.Moment(), nullable=False),
    sa.Column('not_after', columns.Moment(), nullable=False),
    sa.Column('created_at', columns.Moment(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['certificate_id'], ['certificates.id'], name=op.f('fk_authorities_certificate_id')),
    sa.ForeignKeyConstraint(['parent'], ['authorities.id'], name=op.f('fk_authorities_parent')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_authorities')),
    sa.UniqueConstraint('certificate_id', name=op.f('uq_authorities_certificate_id')),
    sa.UniqueConstraint('key_identifier', name=op.f('uq_authorities_key_identifier')),
    sa.UniqueConstraint('key_reference', name=op.f('uq_authorities_key_reference')),
    sa.UniqueConstraint('name', name=op.f('uq_authorities_name'))
    )
    op.create_index(op.f('ix_authorities_parent'), 'authorities', ['parent'], unique=False)
    op.create_table('document_views',
    sa.Column('document', sa.Uuid(), nullable=False),
    sa.Column('account', sa.Uuid(), nullable=False),
    sa.Column('sha256', sa.LargeBinary(length=32), nullable=False),
    sa.Column('at', columns.Moment(), nullable=False),
    sa.ForeignKeyConstraint(['document'], ['documents.id'], name=op.f('fk_document_views_document')),
    sa.PrimaryKeyConstraint('document', 'account', name=op.f('pk_document_views'))
    )
    op.create_table('published_crls',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('authority', sa.Uuid(), nullable=False),
    sa.Column('partition', sa.Integer(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('this_update', columns.Moment(), nullable=False),
    sa.Column('next_update', columns.Moment(), nullable=False),
    sa.Column('entries', sa.Integer(), nullable=False),
    sa.Column('der', sa.LargeBinary(), nullable=False),
    sa.Column('sha256', sa.LargeBinary(length=32), nullable=False),
    sa.ForeignKeyConstraint(['authority'], ['authorities.id'], name=op.f('fk_published_crls_authority')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_published_crls')),
    sa.UniqueConstraint('authority', 'partition', 'number', name=op.f('uq_published_crls_authority_partition_number'))
    )


def downgrade() -> None:
    op.drop_table('published_crls')
    op.drop_table('document_views')
    op.drop_index(op.f('ix_authorities_parent'), table_name='authorities')
    op.drop_table('authorities')
    op.drop_index(op.f('ix_documents_application'), table_name='documents')
    op.drop_table('documents')
    op.drop_index('ix_check_results_application_round', table_name='check_results')
    op.drop_table('check_results')
    op.drop_index('uq_certificates_live_application', table_name='certificates', sqlite_where=sa.text("state <> 'abandoned'"), postgresql_where=sa.text("state <> 'abandoned'"))
    op.drop_index(op.f('ix_certificates_spki_sha256'), table_name='certificates')
    op.drop_index('ix_certificates_serial', table_name='certificates')
    op.drop_index('ix_certificates_revoked', table_name='certificates', sqlite_where=sa.text("state IN ('held', 'revoked', 'abandoned')"), postgresql_where=sa.text("state IN ('held', 'revoked', 'abandoned')"))
    op.drop_index('ix_certificates_owner_id', table_name='certificates')
    op.drop_index('ix_certificates_open_intents', table_name='certificates', sqlite_where=sa.text("state = 'intent'"), postgresql_where=sa.text("state = 'intent'"))
    op.drop_index(op.f('ix_certificates_issued_at'), table_name='certificates')
    op.drop_index('ix_certificates_centre_id', table_name='certificates')
    op.drop_table('certificates')
    op.drop_table('approvals')
    op.drop_table('application_editors')
    op.drop_index(op.f('ix_web_sessions_expires_at'), table_name='web_sessions')
    op.drop_index(op.f('ix_web_sessions_account'), table_name='web_sessions')
    op.drop_table('web_sessions')
    op.drop_index('ix_applications_state_created_at', table_name='applications')
    op.drop_index(op.f('ix_applications_replaces'), table_name='applications')
    op.drop_index('ix_applications_owner_id', table_name='applications')
    op.drop_index(op.f('ix_applications_clock_running_since'), table_name='applications')
    op.drop_index(op.f('ix_applications_claimed_by'), table_name='applications')
    op.drop_index('ix_applications_centre_state_due_at', table_name='applications')
    op.drop_table('applications')
    op.drop_index(op.f('ix_api_tokens_account'), table_name='api_tokens')
    op.drop_table('api_tokens')
    op.drop_index(op.f('ix_remembered_answers_created_at'), table_name='remembered_answers')
    op.drop_table('remembered_answers')
    op.drop_index('ix_notices_account_id', table_name='notices')
    op.drop_table('notices')
    op.drop_index('ix_jobs_state_run_at', table_name='jobs')
    op.drop_table('jobs')
    op.drop_table('counters')
    op.drop_table('centres')
    op.drop_table('blocked_keys')
    op.drop_index('ix_audit_records_object_id_sequence', table_name='audit_records')
    op.drop_table('audit_records')
    op.drop_table('audit_checkpoints')
    op.drop_index(op.f('ix_accounts_staff'), table_name='accounts')
    op.drop_table('accounts')
