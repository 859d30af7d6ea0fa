import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.representation.compute import flops_of_update, within  # noqa: E402
from benchmarks.representation.entries import every_entry, settings_of  # noqa: E402
from benchmarks.representation.experiment import Experiment, is_done  # noqa: E402
from benchmarks.representation.table import tables  # noqa: E402
from latentplan_ros.data.dataset import Dataset  # noqa: E402
from latentplan_ros.learning import objectives  # noqa: E402

RESULTS = ROOT / "runs" / "benchmarks" / "representation"


def quick(folder: Path, *options: str) -> str:
    """A run without measurement; what it prints."""
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.representation",
            "--quick",
            "--folder",
            folder,
            *options,
        ],
        cwd=ROOT,
        env={**os.environ, "MUJOCO_GL": os.environ.get("MUJOCO_GL", "egl")},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_entries_are_trained_for_equal_compute_and_probed(tmp_path: Path) -> None:
    entries = ["random", "denoising+world_model", "psrl_first+world_model"]
    options = ["--parts", "probes", "--tasks", "franka_drawer", "--objectives", *entries]
    printed = quick(tmp_path / "r", *options)
    for entry in entries:
        for ending in ("", "_linear", "_arm", "_arm_linear", "_distractors", "_distractors_arm"):
            assert f"probe_cm/{entry}/franka_drawer{ending} " in printed
        assert (RESULTS / f"franka_drawer.{entry}.jpg").exists()
    page = (RESULTS / "pictures.md").read_text()
    assert "![random on franka_drawer](franka_drawer.random.jpg)" in page
    raw = {e: json.loads((RESULTS / f"franka_drawer.{e}.json").read_text())["raw"] for e in entries}
    assert raw["random"]["updates"] == 0
    trained = raw["denoising+world_model"]
    assert trained["updates"] > 1
    assert trained["updates"] * trained["flops_of_update"] == pytest.approx(3e10, rel=0.2)
    later = raw["psrl_first+world_model"]
    both = [part["updates"] * part["flops_of_update"] for part in (later["before"], later)]
    assert both == [pytest.approx(share * 3e10, rel=0.2) for share in (0.3, 0.7)]


def test_three_blocks_are_pushed_with_an_objective_beside_the_world_model(tmp_path: Path) -> None:
    printed = quick(tmp_path / "r", "--parts", "control", "--controlled", "none", "denoising")
    for entry in ("none", "denoising"):
        assert f"success/sawyer_push3/objective_{entry}" in printed


def test_products_are_counted_and_the_budget_buys_whole_updates(tmp_path: Path) -> None:
    import torch

    class OneProduct(torch.nn.Linear):
        batch_size = 10

        def sample(self, rng, count):
            return torch.ones(count, self.in_features)

        def forward(self, batch):
            return {"loss": super().forward(batch).sum()}

    # A product and a sum for each weight and row; backward once, as the batch needs no gradient.
    assert flops_of_update(OneProduct(7, 3)) == 2 * 2 * 10 * 7 * 3
    assert [within(100.0, 30), within(1.0, 30)] == [3, 1]


def test_every_objective_is_an_entry_and_a_changed_setting_another_result(tmp_path: Path) -> None:
    assert set(objectives.names()) < set(every_entry())
    alone, beside = (settings_of("sawyer_push1", f"denoising{end}") for end in ("", "+world_model"))
    assert alone["objective"]["destroyed"] == 0.25
    assert beside["beside"]["name"] == "denoising"
    file = tmp_path / "known.json"
    assert not is_done(file, alone, False)
    file.write_text(json.dumps({"settings": alone}))
    assert is_done(file, alone, False)
    assert not is_done(file, alone | {"flops": 1.0}, False)
    assert not is_done(file, alone, True)


def test_a_way_of_being_beside_the_world_model_is_no_objective() -> None:
    beside = settings_of("sawyer_push1", "psrl_lightly+world_model")["beside"]
    assert (beside["name"], beside["weight"]) == ("psrl", 0.1)
    with pytest.raises(objectives.ObjectiveError, match="psrl_lightly"):
        settings_of("sawyer_push1", "psrl_lightly")


def test_another_compute_has_results_of_its_own(tmp_path: Path) -> None:
    def ending(flops: float, quick: bool = False) -> str:
        return Experiment(8, 3, 5, flops, tmp_path, (), quick).compute

    assert [ending(1.5e12), ending(1.5e13), ending(7.5e11)] == ["", "_x10", "_x0.5"]
    assert ending(3e10, quick=True) == ""


def test_a_longer_dataset_is_taken_for_its_first_episodes(tmp_path: Path) -> None:
    def experiment(folder: Path, episodes: int) -> Experiment:
        return Experiment(episodes, 1, 1, 1.0, folder, (tmp_path / "known",), True)

    Experiment(4, 1, 1, 1.0, tmp_path / "known", (), True).path("franka_drawer")
    first = experiment(tmp_path / "new", 3).dataset("franka_drawer")
    assert not (tmp_path / "new").exists()
    assert first.num_episodes == len(first.episode_ends) == 3
    assert first.num_frames == len(first.action) == len(first.truth) == first.episode_ends[-1]
    collected = experiment(tmp_path / "fresh", 3)
    alone = Experiment(3, 1, 1, 1.0, collected.folder, (), True).path("franka_drawer")
    assert Dataset.open(alone).content_hash() == first.content_hash()


def test_tables_are_sorted_by_what_is_read_of_objects() -> None:
    def figures(entry: str, value: float) -> dict:
        figure = {"value": value, "low": 0.1, "high": 9.0, "n": 100, "unit": "cm", "command": "c"}
        endings = ("", "_linear", "_arm", "_arm_linear", "_distractors", "_distractors_arm")
        return {f"probe_cm/{entry}/franka_drawer{end}": figure for end in endings}

    text = tables(figures("worse", 2.0) | figures("better", 1.0))
    assert text.index("`better`") < text.index("`worse`")
    assert "### franka_drawer" in text
    assert "1.00 (0.10 to 9.00)" in text
    assert "100 held-out episodes. Remade by `c`." in text
