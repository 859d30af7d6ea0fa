import json
from pathlib import Path

import numpy as np
import pytest

from latentplan_ros.evaluation.outcome import Outcome
from latentplan_ros.evaluation.results import Figure, write_results

OUTCOMES = [
    Outcome(0, 1_000_000, "open", 0.05, [0.12, 0.08, 0.03], plan_ms=41.0),
    Outcome(1, 1_000_000, "open", 0.05, [0.10, 0.02, 0.07], film=np.zeros((3, 8, 24, 3), np.uint8)),
]


def test_success_is_judged_on_the_last_state() -> None:
    assert [o.success for o in OUTCOMES] == [True, False]
    assert OUTCOMES[1].success_at(1)
    assert not OUTCOMES[0].success_at(1)
    assert OUTCOMES[0].success_at(30)


def test_a_results_file_holds_every_try_and_how_to_repeat_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "drawer.json"
    write_results(
        path,
        {"success/x": Figure.success(OUTCOMES)},
        seeds=[1_000_000],
        settings={"steps": 2},
        outcomes=OUTCOMES,
    )
    document = json.loads(path.read_text())
    assert document["figures"]["success/x"]["value"] == 0.5
    assert document["figures"]["success/x"]["n"] == 2
    assert [o["errors_m"] for o in document["outcomes"]] == [o.errors_m for o in OUTCOMES]
    assert [o["success"] for o in document["outcomes"]] == [True, False]
    assert "film" not in document["outcomes"][1]
    assert {"command", "commit", "date", "machine", "version", "seeds"} <= set(document)
    assert document["machine"]["cores"] >= 1
    assert [p.name for p in path.parent.iterdir()] == ["drawer.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text("old")
    with pytest.raises(TypeError):
        write_results(path, {}, seeds=[], settings={"bad": object()})
    assert path.read_text() == "old"


def test_times_have_median_and_tail() -> None:
    times = list(range(1, 101))
    assert Figure.median(times, "ms").value == 50.5
    assert Figure.percentile(times, 99, "ms").value == pytest.approx(99.01)
