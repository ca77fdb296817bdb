"""The founding schema.

Text keys collate "C": the embedded engine has no ICU, and byte order is what keys need. Queue tables are narrow and
their rows leave when the work is done; what they queue lives in immutable tables that carry a day, so that they can be
partitioned without a rewrite. The hot tables have no foreign keys: they cost 13 % and the writers are few.

Revision ID: 0001
"""

from pathlib import Path

from hub.store.kpis import VIEWS
from hub.store.migrations.script import run

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PARTS = ("configuration", "intake", "orders", "fulfilment", "after_sale", "stock", "outbox")
"""Files of `founding/`, in the order in which they are made."""


WATCHED = (
    "account",
    "node",
    "node_binding",
    "stock_point",
    "stock_point_node",
    "policy",
    "overlay",
    "code_table",
)


def upgrade() -> None:
    """Make every table."""
    folder = Path(__file__).parents[1] / "founding"
    for part in PARTS:
        run((folder / f"{part}.sql").read_text("utf-8"))
    run(VIEWS)
    for table in WATCHED:
        run(
            f"CREATE TRIGGER configuration_changed AFTER INSERT OR UPDATE OR DELETE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION configuration_changed()"
        )
    # That one fails, or was told, changes with every delivery.
    run(
        "CREATE TRIGGER configuration_changed AFTER INSERT OR DELETE OR UPDATE OF channel, types, connections "
        "ON subscription FOR EACH STATEMENT EXECUTE FUNCTION configuration_changed()"
    )
    # Health and tokens change often and concern nobody's memory.
    run(
        "CREATE TRIGGER configuration_changed AFTER INSERT OR DELETE OR UPDATE OF "
        "account_id, name, config, secrets, modes, live_from, enabled, paused ON connection "
        "FOR EACH STATEMENT EXECUTE FUNCTION configuration_changed()"
    )


def downgrade() -> None:
    """The first schema has nothing before it."""
    raise RuntimeError("0001 is the founding schema: drop the database instead")
