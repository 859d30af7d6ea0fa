import json
import subprocess
import sys
from pathlib import Path

import pytest

from latentplan_ros.evaluation.results import Figure, write_results

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.destination import RESULTS  # noqa: E402
from benchmarks.summary import (  # noqa: E402
    DOCUMENTS,
    README,
    TABLES,
    SummaryError,
    shown_in,
    summarize,
    table,
    with_table,
)


def write(folder: Path, file: str, *names: str) -> None:
    figures = {name: Figure(0.5, "fraction", 10, 0.2, 0.8) for name in names}
    write_results(folder / f"{file}.json", figures, seeds=[1], settings={})


def test_every_figure_is_in_the_summary_with_its_source(tmp_path: Path) -> None:
    write(tmp_path / "results", "b", "success/b")
    write(tmp_path / "results", "a", "success/z", "success/a")
    summary = summarize(tmp_path / "results", tmp_path)
    assert list(summary) == ["success/a", "success/b", "success/z"]
    entry = summary["success/a"]
    assert set(entry) == {"value", "low", "high", "n", "unit", "file", "command"}
    assert entry["file"] == "results/a.json"


def test_one_figure_in_two_files_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "a", "success/x")
    write(tmp_path, "b", "success/x")
    with pytest.raises(SummaryError, match=r"success/x is in a\.json and in b\.json"):
        summarize(tmp_path, tmp_path)


def test_a_file_that_is_no_results_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "torn.json").write_text('{"figures": {')
    with pytest.raises(SummaryError, match=r"torn\.json is no results file"):
        summarize(tmp_path, tmp_path)


def test_the_committed_summary_is_that_of_the_committed_results() -> None:
    path = ROOT / "benchmarks" / "summary.json"
    stored = json.loads(path.read_text()) if path.exists() else {}
    assert stored == summarize(RESULTS, ROOT), "run `python -m benchmarks.summary`"


@pytest.mark.parametrize("document", [README, *DOCUMENTS])
def test_documents_show_the_committed_figures(document: str) -> None:
    text = (ROOT / document).read_text()
    shown, as_table = shown_in(document, summarize(RESULTS, ROOT)), TABLES.get(document, table)
    assert text == with_table(text, shown, as_table), "run `python -m benchmarks.summary`"


def test_every_figure_is_shown_in_one_document() -> None:
    summary = summarize(RESULTS, ROOT)
    shown = [name for document in (README, *DOCUMENTS) for name in shown_in(document, summary)]
    assert sorted(shown) == sorted(summary)


def test_the_table_stands_between_its_marks_and_nothing_else_changes(tmp_path: Path) -> None:
    write(tmp_path, "a", "success/x")
    text = "above\n<!-- figures -->\nthe former table\n<!-- /figures -->\nbelow\n"
    shown = with_table(text, summarize(tmp_path, tmp_path))
    assert shown.startswith("above\n")
    assert shown.endswith("\nbelow\n")
    assert "| `success/x` | 0.5 fraction | 0.2 to 0.8 | 10 |" in shown
    assert "the former table" not in shown
    with pytest.raises(SummaryError, match="marks"):
        with_table("no marks", {})


def test_a_quick_run_measures_nothing_and_keeps_out_of_the_results(tmp_path: Path) -> None:
    before = sorted(RESULTS.rglob("*"))
    command = ["-m", "benchmarks.collect_speed", "--quick", "--tasks", "franka_reach"]
    run = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "frames/s" in run.stdout
    assert sorted(RESULTS.rglob("*")) == before
    document = json.loads((ROOT / "runs" / "benchmarks" / "collect_speed.json").read_text())
    assert document["command"].startswith("python -m benchmarks.collect_speed --quick")
    assert len(document["raw"]["frames_per_s"]["franka_reach"]) == 2
