"""Lay people, the rota and cases."""

from alembic import op

from shared.runtime.tables import create_runtime_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LAID = """
create sequence case_number start with 10001;
create table answer (
    survey_id uuid not null, revision integer not null, kind text not null, band text not null, anchor uuid not null,
    score integer not null, counted boolean not null, answered_at timestamptz not null, team text, channel text,
    customer_id uuid, case_id uuid, feedback jsonb, primary key (survey_id)
);
create index answer_by_anchor on answer (anchor)
    where kind = 'recovery';
create index answer_by_case on answer (case_id)
    where case_id is not null;
create index answer_by_team on answer (team, answered_at);
create table attempt (
    case_id uuid not null, attempt_id text not null, outcome text not null, started_at timestamptz not null,
    recorded_at timestamptz not null, ended_at timestamptz, next_at timestamptz, revision integer not null, resolved boolean,
    noted boolean not null, root_cause text, by jsonb not null, note jsonb, platform_ref jsonb,
    primary key (case_id, attempt_id)
);
create table case_history (
    case_id uuid not null, revision integer not null, at timestamptz not null, change text not null, state text not null,
    before text, by jsonb not null, detail jsonb not null, primary key (case_id, revision)
);
create table cases (
    id uuid not null, number bigint not null, revision integer not null, state text not null, route text not null,
    consent_basis text not null, arm text not null, kind text not null, level text not null, resolved text not null,
    callback text not null, team text not null, arm_rate float not null, policy_version integer not null,
    priority integer not null, score integer not null, transfers integer not null, contacts_7d integer not null,
    attempts integer not null, failed_attempts integer not null, request_revision integer not null, reached boolean not null,
    overdue boolean not null, requested boolean not null, due_at timestamptz not null, opened_at timestamptz not null,
    first_answered_at timestamptz not null, changed_at timestamptz not null, owner_since timestamptz, ended_at timestamptz,
    first_failed_at timestamptz, first_attempt_at timestamptz, reached_at timestamptz, next_at timestamptz,
    resolved_at timestamptz, ended_case_at timestamptz, overdue_on timestamptz, closes_on timestamptz, expires_on timestamptz,
    unreachable_on timestamptz, customer_id uuid, merged_into uuid, point_ref text, skill text, language text, owner text,
    owner_name text, channel text, moment text, outcome text, root_cause text, customer jsonb,
    survey_ids jsonb default '[]' not null, interaction_ids jsonb default '[]' not null, reasons jsonb default '[]' not null,
    words jsonb default '[]' not null, windows jsonb default '[]' not null, wish jsonb default '[]' not null,
    dropped_refs jsonb default '[]' not null, primary key (id), unique (number)
);
create index cases_by_customer on cases (customer_id);
create index cases_changed on cases (changed_at);
create index cases_closes_on on cases (closes_on)
    where closes_on is not null;
create index cases_expires_on on cases (expires_on)
    where expires_on is not null;
create unique index cases_one_open_per_customer on cases (customer_id)
    where customer_id is not null and state in ('open', 'assigned', 'attempting', 'reached', 'resolved');
create index cases_overdue_on on cases (overdue_on)
    where overdue_on is not null;
create index cases_queue on cases (due_at, priority desc, number)
    where state in ('open', 'assigned', 'attempting', 'reached', 'resolved');
create index cases_unreachable_on on cases (unreachable_on)
    where unreachable_on is not null;
create table consent (
    subject text not null, channel text not null, purpose text not null, state text not null, at timestamptz not null,
    source text not null, customer_id uuid, address_ref text, primary key (subject, channel, purpose)
);
create table customer (
    id uuid not null, version integer default 0 not null, snapshot jsonb, merged_into uuid, erased_at timestamptz,
    primary key (id)
);
create table policy_version (
    version integer not null, active_from timestamptz, body jsonb not null, created_at timestamptz default now() not null,
    created_by text not null, primary key (version)
);
create table rota_version (
    version integer not null, body jsonb not null, created_at timestamptz default now() not null, created_by text not null,
    active_from timestamptz, activated_by text, primary key (version)
)
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    create_runtime_tables(op)
    for statement in LAID.split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop table policy_version, answer, attempt, case_history, cases, rota_version, consent, customer")
    op.execute("drop sequence case_number")
