"""Plan2vec's tables run from data to figures, cut short."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.plan2vec.__main__ import main  # noqa: E402


def test_a_maze_and_a_town_from_recording_to_success(tmp_path: Path) -> None:
    options = ["--parts", "open", "streets_tiny", "graph", "--folder", str(tmp_path / "p")]
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.plan2vec", "--quick", *options],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    for figure in (
        "plan2vec/success/open ",
        "plan2vec/success/open/sptm",
        "plan2vec/success/streets_tiny ",
        "plan2vec/success/streets_tiny/vae",
        "plan2vec/graph_minutes/1k",
    ):
        assert figure in run.stdout


def test_a_part_that_is_none_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no cmace here; there are .*cmaze"):
        main(parts=("cmace",), folder=tmp_path / "p", quick=True)
