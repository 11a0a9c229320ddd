"""Give cases the lease of a dialer."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("alter table cases add column lease_until timestamptz")
    op.execute("create index cases_lease_until on cases (lease_until) where lease_until is not null")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("alter table cases drop column lease_until")
