"""Settings, read from the environment (``WORKBENCH_*``)."""

from __future__ import annotations

import hashlib
import platform
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from workbench.errors import InvalidInput

CHECKOUT = Path(__file__).resolve().parent.parent


def _default_home() -> Path:
    in_checkout = (CHECKOUT / "pyproject.toml").is_file() and (CHECKOUT / "Home.py").is_file()
    return (CHECKOUT if in_checkout else Path.cwd()) / ".workbench"


def driver_url(url: str) -> str:
    """The database URL with psycopg as PostgreSQL's driver."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


class Settings(BaseSettings):
    """Where things are and how long they may take. Each field is the variable ``WORKBENCH_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="WORKBENCH_", frozen=True, extra="ignore")

    home: Path = Field(
        default_factory=_default_home, description="Folder of the database, models and run logs."
    )
    database_url: str | None = Field(
        default=None, description="SQLAlchemy URL; empty means a SQLite file in the home folder."
    )
    stale_seconds: float = Field(
        default=30.0, gt=0, description="A running run without a heartbeat for so long has lost its worker."
    )
    cancel_grace_seconds: float = Field(
        default=15.0, gt=0, description="How long a cancelled worker may take to stop by itself."
    )
    supervisor_idle_seconds: float = Field(
        default=120.0, gt=0, description="The supervisor leaves after so long without a run."
    )
    supervise: bool = Field(
        default=True,
        description="Whether pages and commands start the supervisor of runs where none is; off where it runs in a "
        "container of its own.",
    )
    lease_minutes: float = Field(
        default=30.0, gt=0, description="How long an example stays reserved for one annotator."
    )
    session_hours: float = Field(default=12.0, gt=0, description="How long a sign-in lasts.")
    public_url: str | None = Field(
        default=None,
        description="Where people reach this server, such as https://labels.example.org: its host is let in. "
        "OpenID Connect needs it.",
    )
    oidc_issuer: str | None = Field(
        default=None,
        description="OpenID Connect provider to sign in with, exactly as its discovery document names it; "
        "unset means passwords only.",
    )
    oidc_client_id: str | None = Field(default=None, description="What the provider calls this workbench.")
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="The client's secret; unset for a public client."
    )
    oidc_scopes: str = Field(
        default="openid profile email", description="Scopes to ask for, with spaces between; openid is one."
    )
    oidc_claim: str = Field(
        default="preferred_username",
        description="Claim of the ID token that is a person's name here; one that people can't change themselves.",
    )
    oidc_new_role: Literal["annotator", "reviewer", "lead"] | None = Field(
        default=None,
        description="Role of the account that somebody gets who is known to the provider and not here; "
        "unset means that they get none and have to ask an admin.",
    )
    oidc_name: str = Field(
        default="OpenID Connect", description="What stands on the sign-in page's button after 'Sign in with'."
    )
    max_upload_mb: int = Field(
        default=500, gt=0, description="Largest file that an import takes, in MiB, unpacked."
    )
    samples: bool = Field(
        default=True, description="Load the sample projects when the server starts without a project."
    )
    device: str = Field(default="auto", description="Default device of runs: auto, cpu, cuda, cuda:0, mps.")
    keep_models: int | None = Field(
        default=None,
        ge=1,
        description="After each training the files of older versions than the newest so many are removed, except for "
        "protected ones (docs/operate.md); unset means that only `workbench prune` removes any.",
    )
    keep_checkpoint_days: float = Field(
        default=14.0,
        ge=0,
        description="How many days after its end a failed or cancelled run can be resumed where it was; "
        "then it begins anew.",
    )
    ray_address: str | None = Field(
        default=None,
        description="Dashboard of a Ray cluster, such as http://head:8265; runs go there unless told otherwise.",
    )
    ray_storage: str | None = Field(
        default=None,
        description="Folder or fsspec URL (s3://bucket/path) that this machine and the cluster both reach; "
        "empty means a folder in the home.",
    )
    ray_cpus: float = Field(default=1.0, gt=0, description="CPUs that a run asks the cluster for.")
    ray_gpus: float = Field(default=0.0, ge=0, description="GPUs that a run asks the cluster for.")
    ray_pool_examples: int = Field(
        default=50_000,
        ge=0,
        description="A pass over more examples than this is shared by several processes of the cluster (Ray Data).",
    )
    ray_pool_workers: int = Field(
        default=4,
        ge=1,
        description="How many processes share such a pass at most; each asks for what a run asks for.",
    )

    @property
    def url(self) -> str:
        """The database URL in force, with psycopg as PostgreSQL's driver."""
        return driver_url(self.database_url or f"sqlite:///{self.home.absolute() / 'workbench.db'}")

    @property
    def models_dir(self) -> Path:
        """Artifacts of model versions."""
        return self.home.absolute() / "models"

    @property
    def features_dir(self) -> Path:
        """What models left of each example for strategies that choose sets; a pass over the pool makes it anew."""
        return self.home.absolute() / "features"

    @property
    def runs_dir(self) -> Path:
        """Attempt folders of runs."""
        return self.home.absolute() / "runs"

    @property
    def encoded_dir(self) -> Path:
        """Texts as models read them, kept for later runs over the same ones; may be removed at any time."""
        return self.home.absolute() / "encoded"

    @property
    def exports_dir(self) -> Path:
        """Where pages export model versions to."""
        return self.home.absolute() / "exports"

    @property
    def ray_depots(self) -> str:
        """Where attempts lie that a cluster computes."""
        return (self.ray_storage or str(self.home.absolute() / "depots")).rstrip("/")

    @property
    def home_key(self) -> str:
        """Eight characters that tell this home's runs from another's in the same cluster."""
        place = f"{platform.node()}:{self.home.absolute()}"
        return hashlib.sha256(place.encode()).hexdigest()[:8]

    @property
    def backups_dir(self) -> Path:
        """Copies of the database made before upgrades."""
        return self.home.absolute() / "backups"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once. Raises what ``read_settings`` raises."""
    return read_settings()


def read_settings() -> Settings:
    """The settings of the environment as it is now.

    Raises:
        InvalidInput: A variable holds what its setting can't be.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = error.errors()[0]
        raise InvalidInput(
            f"{wrong['input']!r} can't be used ({wrong['msg']})",
            where="_".join(("WORKBENCH", *map(str, wrong["loc"]))).upper(),
            remedy="correct or unset the variable; docs/reference/settings.md lists them",
        ) from None
