"""Keep what is done to many dead letters at once."""

from alembic import op

from shared.runtime.tables import create_runtime_tables

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    create_runtime_tables(op, {"dead_letter_run"})


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop table dead_letter_run")
