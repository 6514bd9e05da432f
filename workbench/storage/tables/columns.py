"""What every table is made with: one metadata, names of constraints, kinds of column."""

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, DateTime, ForeignKey, Integer, MetaData
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Identity = BigInteger().with_variant(Integer, "sqlite")
Document_ = JSON().with_variant(JSONB(), "postgresql")
Moment = DateTime(timezone=True)


def id_column() -> Column[int]:
    """The primary key that the database counts."""
    return Column("id", Identity, primary_key=True, autoincrement=True)


def reference(
    name: str, target: str, *, nullable: bool = False, ondelete: str | None = "RESTRICT"
) -> Column[int]:
    """A column that holds the id of a row of another table."""
    return Column(name, Identity, ForeignKey(f"{target}.id", ondelete=ondelete), nullable=nullable)


def one_of(column: str, values: type) -> CheckConstraint:
    """A CHECK that the column holds one of the values."""
    quoted = ", ".join(f"'{value}'" for value in values)  # type: ignore[attr-defined]
    return CheckConstraint(f"{column} IN ({quoted})", name=f"{column}_known")


def created_column() -> Column[object]:
    """When the row was made."""
    return Column("created_at", Moment, nullable=False)
