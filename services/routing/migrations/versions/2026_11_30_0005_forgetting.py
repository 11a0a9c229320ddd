"""Keep whose traces are still to be looked for in dead letters and in what waits."""

from alembic import op

from shared.runtime.tables import create_runtime_tables

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    create_runtime_tables(op, {"forgetting"})


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop table forgetting")
