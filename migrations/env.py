"""Alembic's entry: runs the revisions on the connection that the workbench hands over, or on the configured URL."""

from alembic import context

from workbench.config import get_settings
from workbench.storage.store import Store
from workbench.storage.tables import metadata


def run(connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_type=True,
        compare_server_default=True,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    run(handed_over)
else:
    with Store(get_settings().url).engine.connect() as connection, connection.begin():
        run(connection)
