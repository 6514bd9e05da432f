"""A Ray cluster on loopback, told what to do by lines of stdin: ``python -m tests.jobs.raycluster PORT``.

start, stop: the head (1 CPU) and a node with 1 CPU; add: a node with a GPU (as Ray believes); kill: that node. Each is
answered by a line. It ends with its stdin, and ends what it started.
"""

from __future__ import annotations

import sys
from typing import Any

from ray.cluster_utils import Cluster

from tests.conftest import free_port

QUICK = {
    "health_check_initial_delay_ms": 500,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}
HOST = "127.0.0.1"


def started(port: int) -> Cluster:
    cluster = Cluster(
        initialize_head=True,
        head_node_args={
            "node_ip_address": HOST,
            "num_cpus": 1,
            "num_gpus": 0,
            "_system_config": QUICK,
            "include_dashboard": True,
            "dashboard_host": HOST,
            "dashboard_port": port,
            "dashboard_agent_listen_port": free_port(),  # or two clusters of one machine want the same
        },
    )
    cluster.add_node(node_ip_address=HOST, num_cpus=1, num_gpus=0)
    return cluster


def main() -> None:
    port = int(sys.argv[1])
    cluster: Any = None
    extra: Any = None
    for line in sys.stdin:
        command = line.strip()
        if command == "start":
            cluster = started(port)
        elif command == "stop":
            cluster.shutdown()
            cluster = None
        elif command == "add":
            extra = cluster.add_node(node_ip_address=HOST, num_cpus=1, num_gpus=1)
        elif command == "kill":
            cluster.remove_node(extra, allow_graceful=False)
        sys.stdout.write(f"{command} done\n")
        sys.stdout.flush()
    if cluster is not None:
        cluster.shutdown()


if __name__ == "__main__":
    main()
