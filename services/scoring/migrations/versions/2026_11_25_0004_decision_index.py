"""An index that every decision about a contact by itself would fill, only for the others: those are found by kind and anchor."""

from alembic import op
from sqlalchemy import text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_index("decision_about_interaction", "decision", ["interaction_id"], postgresql_where=text("anchor <> interaction_id"))
    op.drop_index("decision_interaction", "decision")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_index("decision_interaction", "decision", ["interaction_id"])
    op.drop_index("decision_about_interaction", "decision")
