"""Every parser of foreign bytes under bytes that are wrong, guided by coverage (Atheris).

Counts inputs and findings: exceptions that are not the parser's own, crashes of the process, more
than 512 MiB of memory, more than 10 s. The input of each finding is kept below ``runs/fuzz``.
One results file a parser.
"""

import json
import re
import shutil
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import tyro

from benchmarks.destination import ROOT, results_file
from benchmarks.parsers import PARSERS
from latentplan_ros.evaluation.results import Figure, write_results

LEAST_S = 2  # left of a parser's time after a crash that are worth a new process
MOST_CRASHES = 20


@dataclass
class Outcome:
    """What came of one parser: inputs read, lines of code reached, what was found."""

    executions: int = 0
    coverage: int = 0
    seconds: float = 0.0
    findings: list[dict[str, str]] = field(default_factory=list)


def main(
    minutes: float | None = None,
    parsers: tuple[str, ...] = (),
    seed: int = 1,
    workers: int = 2,
    quick: bool = False,
) -> None:
    """Writes fuzz/executions/<parser> and fuzz/findings/<parser>.

    Args:
        minutes: for each parser; 10 if left out.
        workers: parsers side by side; each takes one core.
        parsers: which; all if left out.
        seed: of the mutations, at least 1.
        quick: 5 seconds a parser if nothing else is said, results below runs/.
    """
    minutes = (5 / 60 if quick else 10.0) if minutes is None else minutes
    names = parsers or tuple(PARSERS)
    with ThreadPoolExecutor(workers) as pool:
        fuzzing = pool.map(lambda name: fuzz(name, minutes * 60, seed), names)
        outcomes = dict(zip(names, fuzzing, strict=True))
    for name, outcome in outcomes.items():
        print(f"{name:20} {outcome.executions:9} inputs, {len(outcome.findings)} findings")
        for finding in outcome.findings:
            print(f"    {finding['kind']}: {finding['error']}\n    {finding['input']}")
    for name, outcome in outcomes.items():
        n = outcome.executions
        write_results(
            results_file(f"fuzz/{name}", quick),
            {
                f"fuzz/executions/{name}": Figure(n, "inputs", n),
                f"fuzz/findings/{name}": Figure(len(outcome.findings), "findings", n),
            },
            seeds=[seed],
            settings={"minutes": minutes, "workers": workers, "engine": "atheris"},
            raw=vars(outcome),
        )


def fuzz(name: str, seconds: float, seed: int) -> Outcome:
    """One parser for that long, in as many processes as crash."""
    folder = ROOT / "runs" / "fuzz" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    outcome, begin = Outcome(), time.monotonic()
    for attempt in range(MOST_CRASHES):
        left = seconds - (time.monotonic() - begin)
        if attempt and left < LEAST_S:
            break
        command = [sys.executable, "-m", "benchmarks.fuzz_worker", name, str(folder)]
        command += [str(max(1, round(left))), str(seed + attempt)]
        log = folder / f"log{attempt}"
        with log.open("wb") as file:
            status = subprocess.run(
                command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, check=False
            ).returncode
        _note(outcome, log.read_text(errors="replace"), folder, status, attempt)
    outcome.executions = struct.unpack("<Q", (folder / "count").read_bytes())[0]
    outcome.seconds = time.monotonic() - begin
    return outcome


def _note(outcome: Outcome, log: str, folder: Path, status: int, attempt: int) -> None:
    known = {finding["kind"] for finding in outcome.findings}
    for line in log.splitlines():
        finding = json.loads(line) if line.startswith('{"kind"') else None
        if finding and finding["kind"] not in known:
            outcome.findings.append(finding)
    reached = [int(number) for number in re.findall(r"cov: (\d+)", log)]
    outcome.coverage = max([outcome.coverage, *reached])
    if status:
        if not (folder / "count").exists():
            raise SystemExit(f"{folder.name} could not be started:\n{log[-3000:]}")
        inputs = sorted([*folder.glob("findings/crash-*"), *folder.glob("findings/timeout-*")])
        outcome.findings.append(
            {
                "kind": f"the process ended with status {status}",
                "error": log[-300:],
                "input": str(inputs[-1]) if inputs else str(folder / f"log{attempt}"),
            }
        )


if __name__ == "__main__":
    tyro.cli(main)
