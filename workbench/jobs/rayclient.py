"""What the workbench asks of a Ray cluster: jobs, by Ray's own client, and which nodes there are."""

from __future__ import annotations

import importlib.util
import logging
import shlex
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from workbench.errors import Unavailable, WorkbenchError

_ONE_IMPORT = threading.Lock()
"""Ray can't be imported by two threads at once: it imports in circles."""

CONNECT_SECONDS, READ_SECONDS = 5.0, 60.0
"""Ray's client would wait for ever where packets are lost."""


STARTING = "No available agent"
"""In Ray's answer of a cluster that does not take jobs yet: it has just started, or is very busy."""


class Refused(WorkbenchError):
    """The cluster answered, and will not have it."""


class JobState(StrEnum):
    """Ray's states of a job, and one for a job that it does not know."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    STOPPED = "STOPPED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the cluster knows it."""

    state: JobState
    message: str = ""
    node_died: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing of it runs any more, as far as the cluster knows."""
        return self.state not in (JobState.PENDING, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the cluster that lives."""

    address: str
    cpus: float
    gpus: float
    memory_gb: float
    head: bool


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the nodes have together, and how much of it is taken."""

    nodes: tuple[Node, ...]
    cpus_taken: float
    gpus_taken: float

    @property
    def cpus(self) -> float:
        """CPUs of all nodes."""
        return sum(node.cpus for node in self.nodes)

    @property
    def gpus(self) -> float:
        """GPUs of all nodes."""
        return sum(node.gpus for node in self.nodes)

    def describe(self) -> str:
        """Nodes and what is free, in a few words."""
        count = len(self.nodes)
        return (
            f"{count} node{'s' if count != 1 else ''}, {self.cpus - self.cpus_taken:g} of {self.cpus:g} CPUs and "
            f"{self.gpus - self.gpus_taken:g} of {self.gpus:g} GPUs free"
        )


class Cluster:
    """One cluster, by the address of its dashboard, such as http://head:8265.

    Every method raises Unavailable when it can't be asked, and Refused when it says no.
    """

    def __init__(self, address: str) -> None:
        if importlib.util.find_spec("ray") is None:
            raise Unavailable(
                "the package ray is not installed",
                remedy="run pip install -e '.[ray]' in the workbench's folder",
            )
        self._address = address

    def version(self) -> str:
        """Ray's version on the cluster."""
        with self._client() as client:
            return str(client._do_request("GET", "/api/version").json()["ray_version"])

    def job(self, name: str) -> Job:
        """How a job stands."""
        with self._client() as client:
            try:
                found = client.get_job_info(name)
            except RuntimeError as error:
                if "404" in str(error) or "does not exist" in str(error):
                    return Job(JobState.UNKNOWN)
                raise
        message = str(found.message or "")
        kind = str(getattr(found, "error_type", None) or "")
        died = str(found.status) == "FAILED" and found.driver_exit_code is None and bool(kind or message)
        return Job(JobState(str(found.status)), _first_line(message), died)

    def submit(self, name: str, module: Sequence[str], *, code: Path, cpus: float, gpus: float) -> None:
        """Submit ``python -m MODULE …`` under a name; a name that is there already is the same job."""
        command = f"exec python -m {shlex.join(module)}"
        with self._client() as client:
            try:
                client.submit_job(
                    entrypoint=command,
                    submission_id=name,
                    entrypoint_num_cpus=cpus,
                    entrypoint_num_gpus=gpus,
                    runtime_env={"py_modules": [str(code)], "env_vars": {"PYTHONUNBUFFERED": "1"}},
                )
            except RuntimeError as error:
                if "already exists" not in str(error):
                    raise

    def stop(self, name: str) -> None:
        """Ask the cluster to end a job."""
        with self._client() as client:
            client.stop_job(name)

    def logs(self, name: str) -> str:
        """What a job printed."""
        with self._client() as client:
            return str(client.get_job_logs(name))

    def capacity(self) -> Capacity:
        """Its nodes, and what of them is taken."""
        from ray.util.state import list_nodes

        with self._client() as client:
            found = list_nodes(
                address=self._address,
                filters=[("state", "=", "ALIVE")],
                timeout=10,
                raise_on_missing_output=False,  # a node that has just died is not told of
            )
            status = client._do_request("GET", "/api/cluster_status?format=0").json()
        usage = (status["data"]["clusterStatus"] or {}).get("loadMetricsReport", {}).get("usage", {})
        nodes = tuple(_node(str(node.node_ip), node.resources_total or {}) for node in found)
        return Capacity(nodes, *(float((usage.get(name) or [0.0])[0]) for name in ("CPU", "GPU")))

    @contextmanager
    def _client(self) -> Iterator[Any]:
        with _ONE_IMPORT:
            from ray.exceptions import AuthenticationError
            from ray.util.state.exception import RayStateApiException

        try:
            yield _client_of(self._address)
        except AuthenticationError as error:
            raise Refused(
                f"the cluster at {self._address} refuses the token ({_first_line(str(error))})",
                remedy="set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN to its own",
            ) from error
        except (
            OSError,
            TimeoutError,
            RayStateApiException,
        ) as error:  # what requests raises is an OSError, too
            raise Unavailable(
                f"the cluster at {self._address} does not answer ({type(error).__name__})",
                remedy="check WORKBENCH_RAY_ADDRESS and that the head node runs",
            ) from error
        except RuntimeError as error:
            said = f"the cluster at {self._address} says: {_first_line(str(error))}"
            if STARTING in str(error):
                raise Unavailable(said, remedy="wait until it is up") from error
            raise Refused(said) from error


def _client_of(address: str) -> Any:
    logging.getLogger("ray").setLevel(
        logging.WARNING
    )  # it tells of every package that it does not upload again
    from ray.job_submission import JobSubmissionClient

    class Client(JobSubmissionClient):  # type: ignore[misc, unused-ignore]
        """Ray's client with a bound on how long it waits."""

        def _do_request(self, *arguments: Any, **named: Any) -> Any:
            return super()._do_request(*arguments, timeout=(CONNECT_SECONDS, READ_SECONDS), **named)

    return Client(address)


def _node(address: str, resources: Mapping[str, float]) -> Node:
    memory = float(resources.get("memory", 0.0)) / 1e9
    cpus, gpus = (float(resources.get(name, 0.0)) for name in ("CPU", "GPU"))
    return Node(address, cpus, gpus, memory, "node:__internal_head__" in resources)


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else ""
