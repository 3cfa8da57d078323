"""Migrations that are recorded in their own transaction: one that is applied is known to be."""

from tortoise.migrations.migration import Migration as TortoiseMigration
from tortoise.migrations.recorder import MigrationRecorder
from tortoise.migrations.schema_editor import BaseSchemaEditor
from tortoise.migrations.schema_generator.state import State

RECORD = "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ($1, $2, now()) ON CONFLICT DO NOTHING"


class Recorded(TortoiseMigration):
    """Ends with its own record; Tortoise's comes after the commit, and whoever is killed in between never makes it."""

    async def apply(
        self,
        state: State,
        *,
        dry_run: bool = False,
        schema_editor: BaseSchemaEditor | None = None,
        collect_sql: bool = False,
    ) -> State:
        done = await super().apply(state, dry_run=dry_run, schema_editor=schema_editor, collect_sql=collect_sql)
        if schema_editor is not None and not dry_run and not collect_sql:
            await schema_editor.client.execute_query(RECORD, [self.app_label, self.name])
        return done


class Recorder(MigrationRecorder):
    """Does not mind that a migration is recorded already."""

    async def record_applied(self, app: str, name: str) -> None:
        await self.connection.execute_query(RECORD, [app, name])
