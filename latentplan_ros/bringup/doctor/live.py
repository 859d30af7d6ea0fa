"""``latentplan doctor --live``: a running graph measured, and what is wrong with it."""

import os

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from latentplan_ros.bringup.client import GraphClient
from latentplan_ros.bringup.doctor.finding import Finding, Status
from latentplan_ros.bringup.doctor.hearing import OURSELVES, Heard, Hearing, listen
from latentplan_ros.bringup.doctor.judgement import judge, quantile
from latentplan_ros.control.profile import load_profile

_SIGNS = {Status.NOTE: "[yellow]note[/]", Status.WRONG: "[red]wrong[/]"}


def examine(robot: str, namespace: str, duration: float, console: Console | None = None) -> int:
    """Listens for ``duration`` s and prints what flows and what is wrong; 1 where anything is.

    Raises ProfileError where there is no such profile.
    """
    console = console or Console()
    profile = load_profile(robot)
    space = "/" + namespace.strip("/") if namespace.strip("/") else ""
    with GraphClient(OURSELVES, space) as client:
        hearing = listen(client, duration)
    if not any(heard.publishers for heard in hearing.topics):
        console.print(_silence(hearing, space), soft_wrap=True)
        return 1
    console.print(_flows(hearing, duration))
    findings = list(judge(hearing, profile))
    if findings:
        console.print(_findings(findings))
    wrong = sum(f.status is Status.WRONG for f in findings)
    if wrong:
        console.print(f"[red]{wrong} thing{'s' if wrong > 1 else ''} wrong.[/]")
        return 1
    console.print(f"[green]Nothing is wrong in what was heard for {duration:g} s.[/]")
    return 0


def _silence(hearing: Hearing, namespace: str) -> str:
    domain = os.environ.get("ROS_DOMAIN_ID", "0")
    reach = os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "the default")
    there = f"; running: {', '.join(sorted(set(hearing.nodes)))}" if hearing.nodes else ""
    return (
        f"[red]wrong[/] no node publishes any topic of ours in namespace {namespace or '/'} "
        f"(ROS_DOMAIN_ID {domain}, ROS_AUTOMATIC_DISCOVERY_RANGE {reach}){escape(there)}.\n"
        "Start a graph (latentplan up reach), or ask with the same ROS_DOMAIN_ID, --namespace and "
        "discovery range as the graph that runs."
    )


def _flows(hearing: Hearing, duration: float) -> Table:
    time = ", simulated time" if hearing.clocked else ""
    table = Table(title=f"What flowed in {duration:g} s{time}", title_justify="left")
    for column in ("Topic", "From", "Hz", "Age ms (median, p99)", "Longest silence ms", "Lost"):
        table.add_column(column, overflow="fold")
    for heard in hearing.topics:
        if heard.publishers:
            table.add_row(*map(escape, _row(heard)))
    return table


def _row(heard: Heard) -> tuple[str, ...]:
    ages, rate, silence = heard.ages, heard.rate, heard.silence
    return (
        heard.name,
        _shortened([publisher.node for publisher in heard.publishers]),
        f"{rate:.1f}" if rate else f"{len(heard.arrivals)} heard",
        f"{1e3 * quantile(ages, 50):.1f}, {1e3 * quantile(ages, 99):.1f}" if ages else "",
        f"{1e3 * silence:.0f}" if silence and rate else "",
        "" if heard.lost is None else str(heard.lost),
    )


def _shortened(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} nodes"


def _findings(findings: list[Finding]) -> Table:
    table = Table(title="What is not as it must be", title_justify="left")
    for column in ("", "What", "Found", "Remedy"):
        table.add_column(column, overflow="fold")
    for finding in sorted(findings, key=lambda f: f.status is not Status.WRONG):
        table.add_row(
            _SIGNS[finding.status],
            escape(finding.subject),
            escape(finding.found),
            escape(finding.remedy),
        )
    return table
