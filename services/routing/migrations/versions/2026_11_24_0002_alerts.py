"""Lay alerts."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LAID = """
create table alert (
    id uuid not null, team text not null, channel text not null, kind text not null, level text not null,
    opened_at timestamptz not null, last_at timestamptz not null, count integer not null, told integer not null,
    messages integer not null, attempts integer not null, first_sent_at timestamptz, last_sent_at timestamptz,
    next_on timestamptz, lease_until timestamptz, acknowledged_at timestamptz, acknowledged_by text, acknowledged_name text,
    primary key (id)
);
create index alert_by_group on alert (team, channel, last_at);
create index alert_by_opening on alert (opened_at, id);
create index alert_next_on on alert (next_on)
    where next_on is not null;
create table alert_case (
    alert_id uuid not null references alert (id) on delete cascade, case_id uuid not null, primary key (alert_id, case_id)
);
create index alert_case_by_case on alert_case (case_id)
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for statement in LAID.split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop table alert_case, alert")
