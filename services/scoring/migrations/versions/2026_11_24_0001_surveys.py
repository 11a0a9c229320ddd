"""Lay people, policies, decisions and surveys."""

from alembic import op

from shared.runtime.tables import create_runtime_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LAID = """
create sequence policy_version start with 3;
create table customer (
    id uuid not null, version integer default '0' not null, snapshot jsonb, erased_at timestamptz, merged_into uuid, primary key (id)
);
create table consent (
    customer_id uuid, address_ref text, channel text not null, purpose text not null, state text not null, at timestamptz not
    null, source text not null, constraint consent_one_fact unique nulls not distinct (customer_id, address_ref, channel,
    purpose), constraint consent_one_subject check (num_nonnulls(customer_id, address_ref) = 1)
);
create table callback (
    case_id uuid not null, revision integer not null, state text not null, is_open boolean not null, customer_id uuid,
    opening_survey uuid, answered_at timestamptz not null, recovery_due timestamptz, primary key (case_id)
);
create index callback_customer on callback (customer_id) where is_open;
create index callback_recovery on callback (recovery_due) where recovery_due is not null;
create table own_call (
    platform text not null, account text not null, ref text not null, case_id uuid not null, primary key (platform, account,
    ref)
);
create table policy (
    version integer not null, kind text not null, document jsonb not null, note text not null, written_by text not null,
    written_at timestamptz not null, active_from timestamptz, primary key (version)
);
create index policy_in_force on policy (kind, active_from);
create table decision (
    id uuid not null, kind text not null, anchor uuid not null, revision integer not null, customer_id uuid, interaction_id
    uuid, interaction_revision integer, platform text, account text, ref text, team text, outcome text not null, reason text not
    null, phase text not null, verdicts jsonb not null, policy_version integer not null, decided_at timestamptz not null, cell
    text, draw float, rate float, survey_id uuid, channel text, send_at timestamptz, retry_at timestamptz, give_up_at
    timestamptz, aged_from timestamptz not null, facts jsonb not null, contact jsonb, primary key (id), constraint
    decision_one_per_anchor unique (kind, anchor)
);
create index decision_contact on decision (ref, account, platform);
create index decision_customer on decision (customer_id);
create index decision_interaction on decision (interaction_id);
create index decision_retry on decision (retry_at) where retry_at is not null;
create table decision_revision (
    decision_id uuid not null, revision integer not null, said jsonb not null, primary key (decision_id, revision)
);
create table survey (
    id uuid not null, kind text not null, anchor uuid not null, customer_id uuid, interaction_id uuid, interaction_revision
    integer, decision_id uuid not null, policy_version integer not null, cell text, draw float, rate float, channel text not
    null, address_ref text not null, address jsonb not null, language text, contact jsonb, aged_from timestamptz not null, state
    text not null, reason text, asked_at timestamptz not null, send_at timestamptz not null, due timestamptz, lease_until
    timestamptz, attempts integer default '0' not null, called boolean default false not null,
    gateway text, gateway_ref text, sent_at timestamptz, delivered_at
    timestamptz, expires_at timestamptz, token_hash bytea, token jsonb, primary key (id), constraint survey_one_per_anchor
    unique (kind, anchor), constraint survey_state check (state in ('planned', 'sending', 'sent', 'unknown', 'unsent')),
    constraint survey_unsent_has_reason check ((state = 'unsent') = (reason is not null)), unique (token_hash)
);
create index survey_address on survey (address_ref, asked_at);
create index survey_customer on survey (customer_id, asked_at);
create index survey_due on survey (due) where due is not null;
create index survey_interaction on survey (interaction_id);
create index survey_lease on survey (lease_until) where lease_until is not null;
create table sending_pause (
    scope text not null, value text default '' not null, paused_at timestamptz not null, paused_by text not null, primary key
    (scope, value)
);
create table inbox_message (
    id uuid default uuidv7() not null, idempotency_key text not null, channel text not null, address jsonb not null, subject
    text, body text not null, received_at timestamptz default now() not null, primary key (id), unique (idempotency_key)
)
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    create_runtime_tables(op)
    for statement in LAID.split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(
        "drop table survey, sending_pause, inbox_message, decision_revision, decision, policy, own_call, callback, consent, customer"
    )
    op.execute("drop sequence policy_version")
