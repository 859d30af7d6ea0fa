"""PSRL's benchmark on the suite: what an agent sees, saved states, and that all of it runs."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import benchmarks.dmc  # noqa: E402, F401 - chooses MuJoCo's renderer

if sys.version_info >= (3, 13):
    pytest.skip("labmaze, a part of dm_control, has no wheel from 3.13 on", allow_module_level=True)

from dm_control import suite  # noqa: E402

from benchmarks.dmc.__main__ import main  # noqa: E402
from benchmarks.dmc.environment import Environment  # noqa: E402
from benchmarks.dmc.methods import METHODS  # noqa: E402
from benchmarks.dmc.plan import DmcError, Plan, SacSettings  # noqa: E402
from benchmarks.dmc.tasks import TASKS, Task  # noqa: E402
from benchmarks.dmc.training import Training  # noqa: E402

CPU = torch.device("cpu")
SMALL = SacSettings(batch_size=4, initial_steps=15)


@pytest.fixture(scope="module")
def cartpole() -> Environment:
    return Environment(TASKS["cartpole"])


# What an agent sees


def test_an_action_is_held_and_its_rewards_are_added(cartpole: Environment) -> None:
    alone = suite.load("cartpole", "swingup")
    alone.task.random.seed([3])
    alone.reset()
    cartpole.reset([3])
    for _ in range(3):
        _, reward, over = cartpole.step(np.array([1.0]))
        assert reward == pytest.approx(sum(alone.step([1.0]).reward for _ in range(8)))
        assert not over


def test_an_episode_is_a_thousand_steps(cartpole: Environment) -> None:
    cartpole.reset([3])
    ends = [cartpole.step(np.zeros(1))[2] for _ in range(125)]
    assert ends == [False] * 124 + [True]


def test_an_observation_is_the_last_three_pictures(cartpole: Environment) -> None:
    first = cartpole.reset([3])
    assert first.shape == (3, 100, 100, 3)
    assert (first[0] == first[2]).all()
    second, _, _ = cartpole.step(np.array([1.0]))
    third, _, _ = cartpole.step(np.array([1.0]))
    assert (second[:2] == first[1:]).all()
    assert (third[:2] == second[1:]).all()
    assert (third[2] != third[1]).any()


def test_an_episode_depends_on_its_seed_alone(cartpole: Environment) -> None:
    first = cartpole.reset([3])
    cartpole.step(np.array([1.0]))
    assert (cartpole.reset([4]) != first).any()
    assert (cartpole.reset([3]) == first).all()


class Noise:
    """In place of an environment: pictures of noise, 20 actions an episode."""

    def __init__(self, task: Task) -> None:
        self.task, self.actions = Task("noise", "only", repeat=50), 1

    def reset(self, seed: list[int]) -> np.ndarray:
        self.rng, self.left = np.random.default_rng(seed), 20
        return self._pictures()

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool]:
        self.left -= 1
        return self._pictures(), float(action[0] + 1) / 2, self.left == 0

    def _pictures(self) -> np.ndarray:
        return self.rng.integers(0, 255, (3, 100, 100, 3), dtype=np.uint8)


class Kept(Training):
    """Keeps a copy of each saved state."""

    def save(self) -> None:
        super().save()
        shutil.copy(self._file, self._file.with_stem(str(self.done["episodes"])))


def test_a_stopped_training_ends_as_one_that_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.dmc.training.Environment", Noise)
    plan = Plan(SMALL, steps=2000, evaluate_every=1000, episodes=1, save_every_s=0.0)
    whole = Kept(TASKS["cartpole"], "curl", 0, plan, tmp_path / "a.state", CPU)
    uninterrupted = whole.run()
    stopped = tmp_path / "1.state"  # as it was after the first episode
    resumed = Training(TASKS["cartpole"], "curl", 0, plan, stopped, CPU)
    assert resumed.done["episodes"] == 1
    assert resumed.done["updates"] == 5
    curve = resumed.run()["curve"]
    assert curve == uninterrupted["curve"]
    assert [point["step"] for point in curve] == [1000, 2000]
    assert resumed.done["updates"] == uninterrupted["updates"] == 40 - 15
    for name, value in whole.sac.state_dict().items():
        assert torch.equal(value, resumed.sac.state_dict()[name]), name


def test_other_settings_than_those_of_the_saved_state_are_refused(tmp_path: Path) -> None:
    plan = Plan(SMALL, steps=1000)
    Training(TASKS["cartpole"], "sac", 0, plan, tmp_path / "a.state", CPU).save()
    other = replace(plan, settings=replace(SMALL, discount=0.9))
    with pytest.raises(DmcError, match="other settings"):
        Training(TASKS["cartpole"], "sac", 0, other, tmp_path / "a.state", CPU)


def test_names_that_are_none_are_refused_with_those_there_are() -> None:
    with pytest.raises(SystemExit, match=r"no cartpol here; there are .*cartpole"):
        main(tasks=("cartpol",), quick=True)
    with pytest.raises(SystemExit, match=r"no crul here; there are .*curl"):
        main(methods=("crul",), quick=True)


def test_all_methods_from_environment_to_figure_and_picture() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.dmc", "--quick", "--tasks", "cartpole"],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    for method in METHODS:
        assert f"dmc/cartpole_swingup_1000/{method} " in run.stdout
    assert (ROOT / "runs" / "benchmarks" / "dmc" / "cartpole_swingup_1000.png").exists()
