"""A running graph's processes: which there are, and the time and memory that they take."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from latentplan_ros.bringup.graphs import Entry, Options, Value, graph

_TICKS_S = os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


def private_domain() -> None:
    """A ROS domain for this process and its children, so that no graph beside it is disturbed, nor
    measured."""
    os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 200)


def reach_graph(options: Options, planner: Mapping[str, Value]) -> list[Entry]:
    """The graph ``reach`` with other parameters of the planner."""
    return [
        replace(entry, parameters={**entry.parameters, **planner})
        if entry.name == "planner"
        else entry
        for entry in graph("reach", options)
    ]


def processor_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """Seconds of a core that each process has used since it began."""
    used = {}
    for name, pid in pids.items():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used[name] = (int(fields[11]) + int(fields[12])) / _TICKS_S
    return used


def resident_mb(pids: Mapping[str, int]) -> dict[str, float]:
    """Memory that each process holds, MB of 2**20 bytes; shared pages count for each."""
    return {
        name: int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_MB
        for name, pid in pids.items()
    }
