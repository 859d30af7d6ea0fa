"""Every check of this machine in one table."""

from collections.abc import Iterator
from typing import Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from latentplan_ros.bringup.doctor.finding import Finding, Status
from latentplan_ros.bringup.doctor.installation import (
    check_packages,
    check_python,
    check_torch,
    check_watch,
)
from latentplan_ros.bringup.doctor.rendering import check_rendering
from latentplan_ros.bringup.doctor.ros import (
    check_dds_profile,
    check_ros,
    check_ros_extras,
    check_ros_installation,
)
from latentplan_ros.bringup.doctor.storage import check_disk, check_log_folder, check_shared_memory
from latentplan_ros.resources import PACKAGE

Purpose = Literal["demo", "robot", "train"]
REQUIRED: dict[Purpose, frozenset[str]] = {
    "demo": frozenset({"Python", "Python packages", "ROS 2", "Rendering", "Shared memory", "Disk"}),
    "robot": frozenset({"Python", "Python packages", "ROS 2", "Shared memory", "Disk"}),
    "train": frozenset({"Python", "Python packages", "Disk"}),
}
"""The subjects without which each purpose cannot be served."""


def doctor(purpose: Purpose = "demo", console: Console | None = None) -> int:
    """Prints the table; 1 where something that ``purpose`` requires is missing, otherwise 0.

    purpose: ``demo`` (simulation and ROS), ``robot`` (ROS without simulation) or ``train``
    (neither).
    """
    console = console or Console()
    findings = list(diagnose())
    table = Table(title=f"{PACKAGE} on this machine", title_justify="left")
    for column in ("", "What", "Found", "Remedy"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        table.add_row(
            _sign(finding, purpose), finding.subject, escape(finding.found), escape(finding.remedy)
        )
    console.print(table)
    lacking = [f.subject for f in findings if _blocks(f, purpose)]
    if lacking:
        console.print(f"[red]Missing for {purpose}:[/] {', '.join(lacking)}")
        return 1
    console.print(f"[green]Everything that {purpose} requires is here.[/]")
    return 0


def diagnose() -> Iterator[Finding]:
    """Every check in turn; none raises for anything it finds."""
    yield check_python()
    yield check_packages()
    yield check_ros()
    yield check_ros_installation()
    yield check_ros_extras()
    yield check_rendering()
    yield check_torch()
    yield check_watch()
    yield check_dds_profile()
    yield check_shared_memory()
    yield check_disk()
    yield check_log_folder()


def _blocks(finding: Finding, purpose: Purpose) -> bool:
    return finding.status is Status.MISSING and finding.subject in REQUIRED[purpose]


def _sign(finding: Finding, purpose: Purpose) -> str:
    if finding.status is Status.OK:
        return "[green]ok[/]"
    if _blocks(finding, purpose):
        return "[red]missing[/]"
    return "[yellow]note[/]"
