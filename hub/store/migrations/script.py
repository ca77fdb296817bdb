"""Run a script of several statements, which the driver's prepared statements cannot."""

from alembic import op


def run(script: str) -> None:
    """Execute `script` inside the migration's transaction."""
    # The dialect begins its transaction with the first statement that it prepares itself.
    op.execute("SELECT 1")
    driver = op.get_bind().connection.dbapi_connection
    assert driver is not None
    driver.run_async(lambda connection: connection.execute(script))
