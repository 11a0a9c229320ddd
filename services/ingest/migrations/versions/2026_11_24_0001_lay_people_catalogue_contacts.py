"""Lay people, the catalogue and contacts."""

from alembic import op

from shared.runtime.tables import create_runtime_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LAID = """
create table customer (
    id uuid not null,
    number bigint generated always as identity (start with 1000),
    version integer default 0 not null,
    known boolean default false not null,
    merged_into uuid,
    profile jsonb,
    snapshot jsonb,
    created timestamptz default now() not null,
    changed timestamptz default now() not null,
    primary key (id),
    unique (number)
);
create index customer_merged on customer (merged_into) where merged_into is not null;
create table handle (
    kind text not null,
    scope text not null,
    ref text not null,
    primary key (kind, scope, ref),
    constraint handle_kind check (kind in ('member', 'contact', 'email', 'phone'))
);
create table holding (
    kind text not null,
    scope text not null,
    ref text not null,
    customer_id uuid not null,
    directory boolean default false not null,
    since timestamptz default now() not null,
    primary key (kind, scope, ref, customer_id),
    constraint holding_handle foreign key (kind, scope, ref) references handle (kind, scope, ref) on delete cascade,
    constraint holding_customer foreign key (customer_id) references customer (id) on delete cascade
);
create index holding_customer_id on holding (customer_id);
create unique index holding_one_person on holding (kind, scope, ref) where kind in ('member', 'contact');
create index holding_ref on holding (ref);
create table consent (
    subject text not null,
    channel text not null,
    purpose text not null,
    customer_id uuid,
    address_ref text,
    state text not null,
    at timestamptz not null,
    source text not null,
    primary key (subject, channel, purpose),
    constraint consent_one_subject check ((customer_id is null) <> (address_ref is null)),
    constraint consent_state check (state in ('granted', 'refused'))
);
create index consent_customer on consent (customer_id) where customer_id is not null;
create table catalogue_version (
    version integer not null,
    body jsonb not null,
    note text,
    created timestamptz default now() not null,
    created_by text not null,
    active_from timestamptz,
    activated_by text,
    primary key (version)
);
create table event (
    id uuid not null,
    hash bytea not null,
    platform text not null,
    account text not null,
    root text not null,
    leg text not null,
    kind text not null,
    at timestamptz,
    facts jsonb not null,
    handles jsonb,
    refs jsonb,
    received timestamptz default clock_timestamp() not null,
    primary key (id)
);
create index event_contact on event (root, account, platform);
create index event_received on event (received);
create table contact (
    platform text not null,
    account text not null,
    root text not null,
    episode integer default 0 not null,
    episode_started timestamptz,
    due timestamptz,
    waits_for text,
    digest bytea,
    constraint contact_pkey primary key (platform, account, root)
) with (fillfactor = 80);
create index contact_due on contact (due) where due is not null;
create table interaction (
    id uuid not null,
    revision integer not null,
    platform text not null,
    account text not null,
    root text not null,
    episode integer not null,
    customer_id uuid,
    purpose text not null,
    standing text not null,
    ended_at timestamptz not null,
    digest bytea not null,
    payload jsonb not null,
    created timestamptz default now() not null,
    constraint interaction_pkey primary key (id, revision)
);
create index interaction_customer on interaction (customer_id, ended_at) where customer_id is not null;
create index interaction_root on interaction (root, account, platform);
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    create_runtime_tables(op)
    for statement in LAID.strip().split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop table interaction, contact, event, catalogue_version, consent, holding, handle, customer")
