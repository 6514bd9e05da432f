"""The composition root: settings and a store in, services out."""

from __future__ import annotations

import gc
from functools import cached_property
from typing import TYPE_CHECKING

from workbench.config import Settings, get_settings
from workbench.errors import InvalidInput
from workbench.storage.schema import current, head
from workbench.storage.store import Store

if TYPE_CHECKING:
    from workbench.services.agreement import AgreementService
    from workbench.services.annotation import AnnotationService
    from workbench.services.auditlog import AuditLogService
    from workbench.services.comparison import ComparisonService
    from workbench.services.corrections import CorrectionService
    from workbench.services.datasets import DatasetService
    from workbench.services.downloads import DownloadService
    from workbench.services.evaluation import EvaluationService
    from workbench.services.exporting import ExportService
    from workbench.services.guidelines import GuidelineService
    from workbench.services.importjobs import ImportJobs
    from workbench.services.labelsets import LabelSetService
    from workbench.services.maintenance import MaintenanceService
    from workbench.services.members import MemberService
    from workbench.services.models import ModelService
    from workbench.services.probes import ProbeService
    from workbench.services.progress import ProgressService
    from workbench.services.projects import ProjectService
    from workbench.services.pruning import PruningService
    from workbench.services.review import ReviewService
    from workbench.services.runs import RunService
    from workbench.services.scoring import ScoringService
    from workbench.services.selection import SelectionService
    from workbench.services.sharing import SharingService
    from workbench.services.simulation import SimulationService
    from workbench.services.splits import SplitService
    from workbench.services.stopset import StopSets
    from workbench.services.suspects import SuspectService
    from workbench.services.team import TeamService
    from workbench.services.tour import TourService
    from workbench.services.training import TrainingService
    from workbench.services.versions import VersionService
    from workbench.services.workchanges import WorkChangeService
    from workbench.services.worknumbers import WorkNumberService


COLLECT_AFTER = (50_000, 20, 50)
"""An import or an export makes many objects that live for long, and few cycles: with Python's own thresholds a quarter
of its time goes to looking through them again and again."""


class Workbench:
    """Every service over one store. Services are made when first asked for, so that a page imports what it uses."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store

    @cached_property
    def projects(self) -> ProjectService:
        """Projects and label sets."""
        from workbench.services.projects import ProjectService

        return ProjectService(self.store)

    @cached_property
    def tour(self) -> TourService:
        """The guided first round on a sample project."""
        from workbench.services.tour import TourService

        return TourService(self.store)

    @cached_property
    def labelsets(self) -> LabelSetService:
        """Change label sets, their annotations with them."""
        from workbench.services.labelsets import LabelSetService

        return LabelSetService(self.store)

    @cached_property
    def importing(self) -> ImportJobs:
        """Imports that pages have started."""
        from workbench.services.importjobs import ImportJobs

        return ImportJobs()

    @cached_property
    def splits(self) -> SplitService:
        """Split again what is there."""
        from workbench.services.splits import SplitService

        return SplitService(self.store)

    @cached_property
    def datasets(self) -> DatasetService:
        """Import, browse, export of examples."""
        from workbench.services.datasets import DatasetService

        return DatasetService(self.store, self.settings)

    @cached_property
    def annotation(self) -> AnnotationService:
        """The label queue, saving, history."""
        from workbench.services.annotation import AnnotationService

        return AnnotationService(self.store, self.settings)

    @cached_property
    def selection(self) -> SelectionService:
        """Batches by query strategy."""
        from workbench.services.selection import SelectionService

        return SelectionService(self.store, self.settings)

    @cached_property
    def runs(self) -> RunService:
        """The run queue: watch, cancel, resume."""
        from workbench.services.runs import RunService

        return RunService(self.store, self.settings)

    @cached_property
    def training(self) -> TrainingService:
        """Launch training runs."""
        from workbench.services.training import TrainingService

        return TrainingService(self.store, self.settings, self.runs)

    @cached_property
    def scoring(self) -> ScoringService:
        """Launch scoring runs over the pool."""
        from workbench.services.scoring import ScoringService

        return ScoringService(self.store, self.settings, self.runs)

    @cached_property
    def evaluation(self) -> EvaluationService:
        """Measure a model version on a split."""
        from workbench.services.evaluation import EvaluationService

        return EvaluationService(self.store, self.settings, self.runs)

    @cached_property
    def comparison(self) -> ComparisonService:
        """Two model versions on the same split."""
        from workbench.services.comparison import ComparisonService

        return ComparisonService(self.store)

    @cached_property
    def simulation(self) -> SimulationService:
        """What strategies would have been worth on labeled data."""
        from workbench.services.simulation import SimulationService

        return SimulationService(self.store, self.settings, self.runs)

    @cached_property
    def stop_sets(self) -> StopSets:
        """Whether versions still change what they say of text that nobody labels."""
        from workbench.services.stopset import StopSets

        return StopSets(self.store, self.settings, self.runs)

    @cached_property
    def progress(self) -> ProgressService:
        """Whether labeling pays."""
        from workbench.services.progress import ProgressService

        return ProgressService(self.store, self.versions, self.stop_sets)

    @cached_property
    def suspects(self) -> SuspectService:
        """Labels that are probably wrong."""
        from workbench.services.suspects import SuspectService

        return SuspectService(self.store, self.settings, self.runs, self.corrections)

    @cached_property
    def corrections(self) -> CorrectionService:
        """Batches of labeled examples to look at again."""
        from workbench.services.corrections import CorrectionService

        return CorrectionService(self.store)

    @cached_property
    def versions(self) -> VersionService:
        """Every model version with its data, scores and what changed."""
        from workbench.services.versions import VersionService

        return VersionService(self.store)

    @cached_property
    def models(self) -> ModelService:
        """Model versions: list, promote."""
        from workbench.services.models import ModelService

        return ModelService(self.store, self.settings)

    @cached_property
    def pruning(self) -> PruningService:
        """Disk space: files of older versions."""
        from workbench.services.pruning import PruningService

        return PruningService(self.store, self.settings)

    @cached_property
    def exporting(self) -> ExportService:
        """Model versions as folders that ``transformers`` loads."""
        from workbench.services.exporting import ExportService

        return ExportService(self.store, self.settings, self.runs)

    @cached_property
    def team(self) -> TeamService:
        """Accounts, sign-in, roles."""
        from workbench.services.team import TeamService

        return TeamService(self.store, self.settings)

    @cached_property
    def members(self) -> MemberService:
        """Roles, retired people."""
        from workbench.services.members import MemberService

        return MemberService(self.store)

    @cached_property
    def probes(self) -> ProbeService:
        """Adjudicated examples mixed into batches, and how people do on them."""
        from workbench.services.probes import ProbeService

        return ProbeService(self.store)

    @cached_property
    def sharing(self) -> SharingService:
        """How many people label an example."""
        from workbench.services.sharing import SharingService

        return SharingService(self.store)

    @cached_property
    def work_numbers(self) -> WorkNumberService:
        """Pace, hours, agreement, acceptance."""
        from workbench.services.worknumbers import WorkNumberService

        return WorkNumberService(self.store)

    @cached_property
    def guidelines(self) -> GuidelineService:
        """What people are asked to label how."""
        from workbench.services.guidelines import GuidelineService

        return GuidelineService(self.store)

    @cached_property
    def work_changes(self) -> WorkChangeService:
        """Withdraw a person's work, or give it to others."""
        from workbench.services.workchanges import WorkChangeService

        return WorkChangeService(self.store, self.settings)

    @cached_property
    def audit_log(self) -> AuditLogService:
        """Who did what."""
        from workbench.services.auditlog import AuditLogService

        return AuditLogService(self.store)

    @cached_property
    def review(self) -> ReviewService:
        """Decide between people's versions."""
        from workbench.services.review import ReviewService

        return ReviewService(self.store, self.annotation)

    @cached_property
    def agreement(self) -> AgreementService:
        """Whether people agree."""
        from workbench.services.agreement import AgreementService

        return AgreementService(self.store)

    @cached_property
    def downloads(self) -> DownloadService:
        """Files that pages offer, each to whom it belongs."""
        from workbench.services.downloads import DownloadService

        return DownloadService(self.settings)

    @cached_property
    def maintenance(self) -> MaintenanceService:
        """Backup, restore, checks."""
        from workbench.services.maintenance import MaintenanceService

        return MaintenanceService(self.store, self.settings)

    def close(self) -> None:
        """Give every connection back."""
        self.store.close()


def open_workbench(settings: Settings | None = None) -> Workbench:
    """The workbench of these settings, its database created or upgraded where needed.

    Raises:
        InvalidInput: The home folder can't be made.
        DatabaseUnavailable: The database can't be opened.
        SchemaMismatch: It was written by a newer workbench.
    """
    gc.set_threshold(*COLLECT_AFTER)
    settings = settings or get_settings()
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(
            f"the folder {settings.home} can't be made ({error.strerror})",
            where="WORKBENCH_HOME",
            remedy="name one where this user may write",
        ) from error
    store = Store(settings.url)
    if current(store) != head():
        from workbench.storage.migrate import ensure_schema

        ensure_schema(store, settings.backups_dir)
    sweep_unfinished(store)
    return Workbench(settings, store)


def sweep_unfinished(store: Store) -> None:
    """Take back imports that a killed process has left half written; nearly always a look at an empty table."""
    with store.read() as tx:
        if not tx.loads.all():
            return
    from workbench.services.importload import sweep_loads

    sweep_loads(store)
