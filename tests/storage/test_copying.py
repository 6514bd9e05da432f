"""A database copied into one of the other kind and back holds the same, counted and hashed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, insert, null, select, text, update

from tests.conftest import execute
from tests.jobs.rows import add_examples, add_gold, sentence
from tests.selection.pool import add_scores, add_version
from workbench.config import Settings
from workbench.domain import Role, Split
from workbench.errors import DatabaseUnavailable, InvalidInput, WrongState
from workbench.services import Workbench, open_workbench
from workbench.services.moving import Moved, move_database
from workbench.storage.copying import CopiedTable, canonical, checksum
from workbench.storage.rows import chunks, now
from workbench.storage.store import Store
from workbench.storage.tables import annotations, documents, examples, metadata, run_events, runs, sources
from workbench.storage.upkeep import database_problems

ODD = {"𝒶 é": [1e22, 1e-7, -0.0, 0.1, 12345678901234567890, True, None], "z": {"b": "\u2028", "a": "'\\n"}}


def nothing(_name: str, _done: int, _total: int) -> None:
    pass


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """An empty database of a server of the tests' own."""
    name = f"move_{uuid.uuid4().hex[:12]}"
    execute(postgresql_server, f"CREATE DATABASE {name}")
    yield f"{postgresql_server}/{name}"
    execute(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


def fill(wb: Workbench) -> None:
    """Something in most tables, awkward where it may be."""
    project = wb.projects.create("naïve — 新聞", "ner", ("PER", "LOC"))
    ids = add_examples(wb, project, 40)
    add_examples(wb, project, 10, split=Split.TEST)
    add_gold(wb, ids[:30])
    for version in (add_version(wb, project, 1), add_version(wb, project, 2)):
        add_scores(wb, version, {example: 1 / (3 + example) for example in ids[30:]})
    with wb.store.write() as tx:
        person = tx.users.find_or_add("Zoë", Role.ANNOTATOR)
        run = tx.connection.execute
        for revision, nothing_said in ((1, null()), (2, None)):  # SQL's NULL, and JSON's
            values = {
                "example_id": ids[35],
                "author_id": person.id,
                "revision": revision,
                "status": "skipped",
            }
            made = {"client_id": uuid.uuid4().hex, "comment": "", "created_at": now()}
            run(insert(annotations).values(**values, **made, payload=nothing_said))
        run(insert(sources).values(sha256="b" * 64, size=3, content=bytes(range(256))))
        run(update(documents).values(meta=ODD))
        run_id = run(select(func.min(runs.c.id))).scalar_one()
        event = {"run_id": run_id, "attempt": 1, "kind": "metric", "at": now(), "data": {"loss": 0.1 + 0.2}}
        run(insert(run_events).values(sequence=1, **event))
        tx.users.audit(person.id, "restore", "ünïcode")


def contents(url: str) -> dict[str, CopiedTable]:
    store = Store(url)
    try:
        with store.read() as tx:
            return {table.name: checksum(tx.connection, table) for table in metadata.sorted_tables}
    finally:
        store.close()


def without_the_note(moved: Moved, found: dict[str, CopiedTable]) -> dict[str, CopiedTable]:
    """The note of the move itself is the one row that the target has more."""
    said = {table.name: table for table in moved.tables}
    assert found["audit_events"].rows == said["audit_events"].rows + 1
    return {**found, "audit_events": said["audit_events"]}


def test_to_postgresql_and_back(sqlite_workbench: Workbench, postgresql_url: str, tmp_path: Path) -> None:
    fill(sqlite_workbench)
    before = contents(sqlite_workbench.settings.url)
    there = move_database(sqlite_workbench.settings, postgresql_url, nothing)
    assert {table.name: table for table in there.tables} == before
    assert without_the_note(there, contents(postgresql_url)) == before

    on_the_server = Settings(home=sqlite_workbench.settings.home, database_url=postgresql_url)
    with_note = contents(postgresql_url)
    back = move_database(on_the_server, f"sqlite:///{tmp_path / 'back.db'}", nothing)
    assert without_the_note(back, contents(f"sqlite:///{tmp_path / 'back.db'}")) == with_note
    assert contents(sqlite_workbench.settings.url) == before
    reopened = Store(f"sqlite:///{tmp_path / 'back.db'}")
    assert database_problems(reopened) == []
    with reopened.read() as tx:
        assert tx.connection.execute(select(documents.c.meta).limit(1)).scalar_one() == ODD
        kinds = "SELECT typeof(payload) FROM annotations WHERE status = 'skipped' ORDER BY revision"
        assert tx.connection.execute(text(kinds)).scalars().all() == ["null", "text"]
    reopened.close()


def fill_large(wb: Workbench, count: int, labeled: int, versions: int) -> None:
    """A project of that many examples, by chunks: one row at a time would take longer than the copy."""
    project = wb.projects.create("large", "ner", ("PER", "LOC"))
    first = add_examples(wb, project, 5)
    with wb.store.write() as tx:
        run = tx.connection.execute
        like = run(select(examples).where(examples.c.id == first[0])).one()._asdict()
        del like["id"]
        changing = ("position", "external_id", "text")
        rows = [{**like, **dict.fromkeys(changing)} for _ in range(count - 5)]
        for place, row in enumerate(rows, 5):
            row.update(position=place, external_id=f"n{place}", text=f"{like['text']} {place}")
        for chunk in chunks(rows):
            run(insert(examples), chunk)
        ids = list(run(select(examples.c.id).order_by(examples.c.id)).scalars())
        person = tx.users.find_or_add("Zoë", Role.ANNOTATOR)
        said = {"author_id": person.id, "revision": 1, "status": "accepted", "payload": sentence(0)[2]}
        for chunk in chunks(ids[:labeled]):
            made = [
                {**said, "example_id": each, "client_id": str(each), "created_at": now()} for each in chunk
            ]
            run(insert(annotations), made)
    for number in range(1, versions + 1):
        version = add_version(wb, project, number)
        for chunk in chunks(ids[labeled:]):
            add_scores(wb, version, {each: 1 / (3 + each) for each in chunk})


@pytest.mark.proof
def test_a_large_one_to_postgresql_and_back(
    sqlite_workbench: Workbench, postgresql_url: str, tmp_path: Path
) -> None:
    fill_large(sqlite_workbench, 100_000, 20_000, 5)
    there = move_database(sqlite_workbench.settings, postgresql_url, nothing)
    on_the_server = Settings(home=sqlite_workbench.settings.home, database_url=postgresql_url)
    back = move_database(on_the_server, f"sqlite:///{tmp_path / 'back.db'}", nothing)
    said, again = ({table.name: table for table in moved.tables} for moved in (there, back))
    assert said["examples"].rows == 100_000
    assert said["annotations"].rows == 20_000
    assert said["acquisition_scores"].rows == 5 * 80_000
    assert {**again, "audit_events": said["audit_events"]} == said


def test_work_goes_on_with_new_ids(sqlite_workbench: Workbench, postgresql_url: str) -> None:
    fill(sqlite_workbench)
    move_database(sqlite_workbench.settings, postgresql_url, nothing)
    moved = open_workbench(Settings(home=sqlite_workbench.settings.home, database_url=postgresql_url))
    project = moved.projects.get("naïve — 新聞")
    ids = add_examples(moved, project, 3)
    assert min(ids) > 50
    assert len(add_gold(moved, ids)) == 3
    moved.projects.create("another", "pos", ("NOUN",))
    moved.close()


def test_a_database_with_something_in_it_is_refused(workbench: Workbench, tmp_path: Path) -> None:
    workbench.projects.create("mine", "ner", ("PER",))
    other = Settings(home=tmp_path / "other", database_url=None)
    source = open_workbench(other)
    fill(source)
    source.close()
    before = contents(workbench.settings.url)
    with pytest.raises(InvalidInput, match=r"not empty \(projects.*empty one"):
        move_database(other, workbench.settings.url, nothing)
    assert contents(workbench.settings.url) == before


def test_a_database_is_not_copied_into_itself(settings: Settings) -> None:
    with pytest.raises(InvalidInput, match="in use"):
        move_database(settings, settings.url, nothing)


def test_not_while_a_run_is_at_work(sqlite_workbench: Workbench, tmp_path: Path) -> None:
    fill(sqlite_workbench)
    with sqlite_workbench.store.write() as tx:
        tx.connection.execute(update(runs).values(state="queued"))
    with pytest.raises(WrongState, match="2 runs are at work"):
        move_database(sqlite_workbench.settings, f"sqlite:///{tmp_path / 'new.db'}", nothing)


def test_a_row_that_is_refused_leaves_nothing(sqlite_workbench: Workbench, postgresql_url: str) -> None:
    fill(sqlite_workbench)
    with sqlite_workbench.store.write() as tx:  # as no import would
        tx.connection.execute(update(examples).where(examples.c.position == 7).values(text="a\0b"))
    with pytest.raises(DatabaseUnavailable, match=r"refuses a row of examples .*Nothing was kept"):
        move_database(sqlite_workbench.settings, postgresql_url, nothing)
    assert {table.rows for table in contents(postgresql_url).values()} == {0}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1, "b": [1.0, 2]}', '{"b":[1,2.0],"a":1.0}'),
        ('{"a": 1e22}', '{"a": 10000000000000000000000}'),
        ('"\\u00e9"', '"é"'),
    ],
)
def test_spellings_of_the_same_document_are_one(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    "other", ['{"a": 1.5}', '{"a": "1"}', '{"a": [1]}', '{"b": 1}', '{"a": null}', '{"a": true}']
)
def test_other_documents_are_not(other: str) -> None:
    assert canonical('{"a": 1}') != canonical(other)


def test_a_changed_row_changes_the_checksum(workbench: Workbench) -> None:
    fill(workbench)
    with workbench.store.write() as tx:
        before = checksum(tx.connection, examples)
        assert before.rows == 50
        changed = update(examples).where(examples.c.position == 3)
        tx.connection.execute(changed.values(text=examples.c.text + " "))
        assert checksum(tx.connection, examples) != before


def test_the_command(sqlite_workbench: Workbench, postgresql_url: str) -> None:
    fill(sqlite_workbench)
    environment = {
        **os.environ,
        "WORKBENCH_HOME": str(sqlite_workbench.settings.home),
        "PYTHONWARNINGS": "error",
    }
    command = [
        sys.executable,
        "-c",
        "from workbench.cli import main; main()",
        "migrate-database",
        postgresql_url,
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    said = json.loads(done.stdout)
    assert said["tables"]["examples"]["rows"] == 50
    assert "examples: 50 rows" in done.stderr
    again = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert again.returncode == 1
    assert "not empty" in again.stderr
    assert len(again.stderr.strip().splitlines()) == 1
