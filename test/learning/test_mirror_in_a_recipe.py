"""A recipe's ``mirror``: each episode's mirror image is learned from too."""

import numpy as np
import pytest

from latentplan_ros import cli
from latentplan_ros.learning.dynamics import DynamicsStage
from latentplan_ros.learning.world_model import WorldModelStage
from latentplan_ros.models.checkpoint import load_checkpoint


@pytest.fixture
def run(corridor, recipe_file, tmp_path):
    def run(mirror=""):
        recipe = tmp_path / "recipe.yaml"
        recipe.write_text(recipe_file.read_text() + mirror)
        command = ["train", "latent_l2", "--data", corridor.path, "--recipe", recipe]
        command += ["--out", tmp_path / "m.safetensors", "--accelerator", "cpu"]
        return cli.main([str(part) for part in command])

    return run


def test_all_stages_see_twice_the_episodes_and_none_that_was_kept_out(
    run, corridor, tmp_path, monkeypatch
):
    drawn = {}
    for stage in (WorldModelStage, DynamicsStage):
        sample = stage.sample

        def watched(self, rng, count, sample=sample):
            drawn.setdefault(self.name, set()).update(self._windows.starts.tolist())
            return sample(self, rng, count)

        monkeypatch.setattr(stage, "sample", watched)
    assert run("mirror: [1, -1, 1, 1]") == 0
    assert set(drawn) == {"world_model", "dynamics"}
    recipe = load_checkpoint(tmp_path / "m.safetensors").header.recipe
    assert recipe["mirror"] == [1, -1, 1, 1]
    _, held_out = corridor.split(recipe["held_out"], 0)
    kept_out = corridor.frames(held_out)
    for starts in drawn.values():
        plain = {start for start in starts if start < corridor.num_frames}
        assert {start + corridor.num_frames for start in plain} == starts - plain
        assert not plain & set(kept_out.tolist())
    latents = np.load(next((tmp_path / "m.training").glob("latents.*.npy")))
    assert len(latents) == 2 * corridor.num_frames


def test_a_training_does_not_go_on_with_another_mirror(run, capsys):
    assert run() == 0
    assert run("mirror: [-1, 1, 1, 1]") == 2
    assert "says of its mirror" in " ".join(capsys.readouterr().err.split())


def test_what_are_no_signs_is_refused_before_anything_is_trained(run, capsys, tmp_path):
    assert run("mirror: [-1, 1, 1, 3]") == 2
    assert "four signs" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "m.training").exists()
