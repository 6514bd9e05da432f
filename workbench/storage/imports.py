"""What was imported: the files' own bytes, the imports, their documents."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, func, insert, select, update

from workbench.domain import ImportRecord, Json, Split
from workbench.errors import NotFound
from workbench.storage.rows import aware, bulk_insert, id_chunks, now
from workbench.storage.tables import documents, imports, projects, sources
from workbench.storage.visible import imported


class Imports:
    """The half of the ``Examples`` repository that is about files."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock_project(self, project_id: int) -> None:
        """Let nobody else import into the project until this block ends (positions are counted up).

        Answers are saved meanwhile: whoever waits for those that are being saved makes all others wait.
        """
        self._connection.execute(
            select(projects.c.id).where(projects.c.id == project_id).with_for_update(key_share=True)
        )

    def add_source(self, sha256: str, size: int, compressed: bytes) -> None:
        """Keep a file's bytes (zlib-compressed); a file that is kept already is left alone."""
        known = select(sources.c.sha256).where(sources.c.sha256 == sha256)
        if self._connection.execute(known).first() is None:
            self._connection.execute(insert(sources).values(sha256=sha256, size=size, content=compressed))

    def add_import(
        self,
        project_id: int,
        *,
        file_name: str,
        sha256: str,
        format_name: str,
        mapping: Json,
        split: Split | None,
        user_id: int | None,
    ) -> int:
        """Id of a new import; ``set_counts`` completes it."""
        statement = (
            insert(imports)
            .values(
                project_id=project_id,
                file_name=file_name,
                sha256=sha256,
                format=format_name,
                mapping=dict(mapping),
                split=split,
                counts={},
                user_id=user_id,
                created_at=now(),
            )
            .returning(imports.c.id)
        )
        return int(self._connection.execute(statement).scalar_one())

    def set_counts(self, import_id: int, counts: Json) -> None:
        """Write down what an import brought."""
        self._connection.execute(update(imports).where(imports.c.id == import_id).values(counts=dict(counts)))

    def add_documents(self, project_id: int, import_id: int, names: Sequence[str], first: int) -> list[int]:
        """Ids of new documents, in order; ``first`` is the position of the first one in its import."""
        if not names:
            return []
        bulk_insert(
            self._connection,
            documents,
            ("project_id", "import_id", "name", "position", "meta"),
            [(project_id, import_id, name, first + i, {}) for i, name in enumerate(names)],
        )
        found = (
            select(documents.c.id)
            .where(documents.c.import_id == import_id, documents.c.position >= first)
            .order_by(documents.c.position)
        )
        return list(self._connection.execute(found).scalars())

    def delete_import(self, import_id: int) -> None:
        """Remove an import with its documents and examples; its source goes with the last import that used it."""
        sha256 = self._connection.execute(
            delete(imports).where(imports.c.id == import_id).returning(imports.c.sha256)
        ).scalar_one()
        used = exists().where(imports.c.sha256 == sources.c.sha256)
        self._connection.execute(delete(sources).where(sources.c.sha256 == sha256, ~used))

    def source(self, sha256: str) -> bytes:
        """The bytes of an imported file, as they came. Raises NotFound."""
        found = self._connection.execute(
            select(sources.c.content).where(sources.c.sha256 == sha256)
        ).scalar_one_or_none()
        if found is None:
            raise NotFound(f"no file with the hash {sha256[:12]}… is kept here")
        return zlib.decompress(found)

    def imports(self, project_id: int) -> tuple[ImportRecord, ...]:
        """Every import of the project, oldest first."""
        rows = self._connection.execute(select(imports).where(imported(project_id)).order_by(imports.c.id))
        return tuple(_import(row) for row in rows)

    def find_import(self, project_id: int, sha256: str) -> ImportRecord | None:
        """The project's first import of a file with this content, or None."""
        row = self._connection.execute(
            select(imports)
            .where(imported(project_id), imports.c.sha256 == sha256)
            .order_by(imports.c.id)
            .limit(1)
        ).first()
        return _import(row) if row is not None else None

    def document_names(self, ids: Collection[int]) -> Mapping[int, str]:
        """Names of documents by id."""
        found: dict[int, str] = {}
        for part in id_chunks(sorted(ids)):
            for row in self._connection.execute(
                select(documents.c.id, documents.c.name).where(documents.c.id.in_(part))
            ):
                found[row.id] = row.name
        return found

    def count_documents(self, project_id: int) -> int:
        """How many documents the project has."""
        whole = select(imports.c.id).where(imported(project_id))
        return self._connection.execute(
            select(func.count()).select_from(documents).where(documents.c.import_id.in_(whole))
        ).scalar_one()


def _import(row: Row[Any]) -> ImportRecord:
    return ImportRecord(
        id=row.id,
        project_id=row.project_id,
        file_name=row.file_name,
        sha256=row.sha256,
        format=row.format,
        mapping=row.mapping,
        split=Split(row.split) if row.split is not None else None,
        counts=row.counts,
        created_at=aware(row.created_at),
    )
