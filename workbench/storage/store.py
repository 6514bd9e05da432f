"""The one door to the database: short transactions over repositories.

Reading::

    with store.read() as tx:
        project = tx.projects.by_name("news")

Writing (all or nothing; nothing computes while it is open)::

    with store.write() as tx:
        tx.projects.add("news", "ner", labels)
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from workbench.errors import DatabaseUnavailable, InvalidInput
from workbench.storage.door import Door
from workbench.storage.engine import checkpoint, make_engine
from workbench.storage.kept import Kept

if TYPE_CHECKING:
    from workbench.storage.annotations import Annotations
    from workbench.storage.batches import Batches
    from workbench.storage.evidence import Evidence
    from workbench.storage.examples import Examples
    from workbench.storage.guidelines import Guidelines
    from workbench.storage.identities import Identities
    from workbench.storage.labelrows import LabelRows
    from workbench.storage.labelsets import LabelSets
    from workbench.storage.loads import Loads
    from workbench.storage.models import Models
    from workbench.storage.probes import Probes
    from workbench.storage.projects import Projects
    from workbench.storage.remarks import Remarks
    from workbench.storage.runs import Runs
    from workbench.storage.sizes import Sizes
    from workbench.storage.sketches import Sketches
    from workbench.storage.splits import Splits
    from workbench.storage.users import Users
    from workbench.storage.withdrawals import Withdrawals
    from workbench.storage.workchanges import WorkChanges
    from workbench.storage.worknumbers import WorkNumbers


T = TypeVar("T")


class Transaction:
    """Repositories over one connection; made by ``Store``, dead after its block."""

    def __init__(self, connection: Connection, kept: Kept | None = None) -> None:
        self.connection = connection
        self._kept = kept

    def once(self, key: Hashable, stamp: object, count: Callable[[], T]) -> T:
        """What ``count`` gives, or gave earlier in this process at the same stamp; see ``Kept.get``.

        In a block that writes it is always computed: what that sees, nobody may ever see.
        """
        return count() if self._kept is None else self._kept.get(key, stamp, count)

    @cached_property
    def users(self) -> Users:
        """People, sessions, the audit log."""
        from workbench.storage.users import Users

        return Users(self.connection)

    @cached_property
    def identities(self) -> Identities:
        """Who people are at an OpenID Connect provider."""
        from workbench.storage.identities import Identities

        return Identities(self.connection)

    @cached_property
    def projects(self) -> Projects:
        """Projects and their label sets."""
        from workbench.storage.projects import Projects

        return Projects(self.connection)

    @cached_property
    def examples(self) -> Examples:
        """Sources, imports, documents, examples."""
        from workbench.storage.examples import Examples

        return Examples(self.connection)

    @cached_property
    def sizes(self) -> Sizes:
        """How many examples projects have."""
        from workbench.storage.sizes import Sizes

        return Sizes(self.connection, self.once)

    @cached_property
    def loads(self) -> Loads:
        """Imports that are being written."""
        from workbench.storage.loads import Loads

        return Loads(self.connection)

    @cached_property
    def label_rows(self) -> LabelRows:
        """Labels to export, with where they come from."""
        from workbench.storage.labelrows import LabelRows

        return LabelRows(self.connection)

    @cached_property
    def labelsets(self) -> LabelSets:
        """Label sets and the history of their changes."""
        from workbench.storage.labelsets import LabelSets

        return LabelSets(self.connection)

    @cached_property
    def sketches(self) -> Sketches:
        """What near duplicates are found by."""
        from workbench.storage.sketches import Sketches

        return Sketches(self.connection)

    @cached_property
    def splits(self) -> Splits:
        """Which example is in which split."""
        from workbench.storage.splits import Splits

        return Splits(self.connection)

    @cached_property
    def annotations(self) -> Annotations:
        """Annotation revisions, gold, answers kept aside."""
        from workbench.storage.annotations import Annotations

        return Annotations(self.connection)

    @cached_property
    def remarks(self) -> Remarks:
        """What reviewers say to people."""
        from workbench.storage.remarks import Remarks

        return Remarks(self.connection)

    @cached_property
    def probes(self) -> Probes:
        """Adjudicated examples among the items of batches."""
        from workbench.storage.probes import Probes

        return Probes(self.connection)

    @cached_property
    def batches(self) -> Batches:
        """Batches, their items, leases."""
        from workbench.storage.batches import Batches

        return Batches(self.connection)

    @cached_property
    def guidelines(self) -> Guidelines:
        """Versions of guidelines, and who has read them."""
        from workbench.storage.guidelines import Guidelines

        return Guidelines(self.connection)

    @cached_property
    def work_changes(self) -> WorkChanges:
        """What leads did to one person's work."""
        from workbench.storage.workchanges import WorkChanges

        return WorkChanges(self.connection)

    @cached_property
    def work_numbers(self) -> WorkNumbers:
        """What people did, to be counted."""
        from workbench.storage.worknumbers import WorkNumbers

        return WorkNumbers(self.connection)

    @cached_property
    def withdrawals(self) -> Withdrawals:
        """Revisions that withdraw a person's, and that put them back."""
        from workbench.storage.withdrawals import Withdrawals

        return Withdrawals(self.connection)

    @cached_property
    def runs(self) -> Runs:
        """The run queue and what runs said."""
        from workbench.storage.runs import Runs

        return Runs(self.connection)

    @cached_property
    def models(self) -> Models:
        """Snapshots, model versions, predictions, acquisition scores, evaluations."""
        from workbench.storage.models import Models

        return Models(self.connection)

    @cached_property
    def evidence(self) -> Evidence:
        """Costs, lots, a stop set, doubted labels."""
        from workbench.storage.evidence import Evidence

        return Evidence(self.connection)


class Store:
    """A database. Threads and processes may share one file or server; each block takes a connection."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine: Engine = make_engine(url)
        self._kept = Kept()
        self._writing = self.engine.execution_options(writing=True)
        self._hiding = self.engine.execution_options(writing=True, hidden=True)
        self._prompt = self.engine.execution_options(writing=True, prompt=True)

    @property
    def one_writer(self) -> bool:
        """Whether writing blocks exclude each other, as SQLite's do, so that a long chain of them must let go."""
        return self.engine.dialect.name == "sqlite"

    def somebody_waits(self) -> bool:
        """Whether another writer waits for this database; never on PostgreSQL, where writers go side by side."""
        return self.one_writer and Door(Path(str(self.engine.url.database))).somebody_waits()

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A block of reads that see one state of the database."""
        with _mapped_errors(), self.engine.connect() as connection, connection.begin() as block:
            yield Transaction(connection, self._kept)
            block.rollback()

    @contextmanager
    def write(self, *, prompt: bool = False) -> Iterator[Transaction]:
        """A block of writes: committed at its end, rolled back by any exception.

        Args:
            prompt: Somebody waits for it, and what it writes may be lost with the machine's power: on SQLite it comes
                before others, and is not waited for until it is on the disk.
        """
        engine = self._prompt if prompt else self._writing
        with _mapped_errors(), engine.connect() as connection, connection.begin():
            yield Transaction(connection)

    @contextmanager
    def write_hidden(self) -> Iterator[Transaction]:
        """The same for rows that nobody sees before a later ``write`` shows them: until then a power failure may
        take the last of them, and what is left is taken back. SQLite does not wait for the disk; now and then
        call ``checkpoint``.
        """
        with _mapped_errors(), self._hiding.connect() as connection, connection.begin():
            yield Transaction(connection)

    def checkpoint(self) -> None:
        """Move what hidden writes have left in SQLite's log into the database; others read and write meanwhile."""
        with _mapped_errors():
            checkpoint(self.engine)

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()


@contextmanager
def _mapped_errors() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise DatabaseUnavailable(
            f"the database did not answer ({reason})",
            remedy="check WORKBENCH_DATABASE_URL, disk space and permissions, or run `workbench doctor`",
        ) from error
    except OverflowError as error:  # SQLite's driver has it before SQLAlchemy could give it a name
        raise InvalidInput(
            "a number is larger than any that is kept here", remedy="check the numbers that you gave"
        ) from error
