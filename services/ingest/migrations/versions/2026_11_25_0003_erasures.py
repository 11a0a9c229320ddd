"""Remember who was erased, by handle for a while and by id for good, and what each service reported of it."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LAID = """
alter table customer add column erasure uuid;
alter table handle add column erasure uuid;
alter table handle add column due timestamptz;
create index handle_due on handle (due) where due is not null;
create table erasure (
    id uuid not null,
    customer_ids jsonb not null,
    basis text not null,
    requested_at timestamptz not null,
    due timestamptz,
    refs jsonb not null,
    traces jsonb,
    events_to timestamptz default '-infinity' not null,
    letters_to uuid default '00000000-0000-0000-0000-000000000000' not null,
    counts jsonb not null,
    finished timestamptz,
    primary key (id)
);
create index erasure_due on erasure (due) where due is not null;
create index erasure_unfinished on erasure (requested_at) where finished is null;
create table erasure_report (
    request_id uuid not null,
    service text not null,
    counts jsonb not null,
    clean_by timestamptz not null,
    done boolean not null,
    reported_at timestamptz default now() not null,
    primary key (request_id, service),
    constraint erasure_report_request foreign key (request_id) references erasure (id)
)
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for statement in LAID.strip().split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop table erasure_report, erasure")
    op.execute("drop index handle_due")
    op.execute("alter table handle drop column erasure, drop column due")
    op.execute("alter table customer drop column erasure")
