"""A recipe's block ``objective``: what else trains the world model's encoder."""

import cv2
import pytest
import torch

from latentplan_ros import cli
from latentplan_ros.learning.objectives.denoising import Denoising
from latentplan_ros.models.checkpoint import load_checkpoint

DENOISING = "objective: {name: denoising, %s, settings: {batch_size: 6}}"


@pytest.fixture
def run(corridor, recipe_file, tmp_path):
    def run(objective="", *options):
        recipe = tmp_path / "recipe.yaml"
        recipe.write_text(recipe_file.read_text() + objective)
        command = ["train", "latent_l2", "--data", corridor.path, "--recipe", recipe]
        command += ["--out", tmp_path / "m.safetensors", "--accelerator", "cpu", *options]
        return cli.main([str(part) for part in command])

    return run


@pytest.fixture
def checkpoint(tmp_path):
    return lambda: load_checkpoint(tmp_path / "m.safetensors")


def test_pretraining_comes_before_the_world_model(run, checkpoint, tmp_path):
    assert run(DENOISING % "pretrain: 7") == 0
    stages = {path.name.split(".")[0] for path in (tmp_path / "m.training").glob("*.state")}
    assert stages == {"pretraining_denoising", "world_model", "dynamics"}
    pretrained = torch.load(tmp_path / "m.training/pretraining_denoising.0.state")
    assert pretrained["done"] == 7
    choice = checkpoint().header.recipe["objective"]
    assert (choice["name"], choice["pretrain"], choice["weight"]) == ("denoising", 7, 0.0)


def test_beside_the_world_model_its_loss_counts_by_its_weight(run, checkpoint, monkeypatch):
    seen = []

    def loss(self, batch):
        seen.append(batch["images"].shape)
        return {"loss": self.encode(batch["images"][:, 0] / 255.0).square().mean()}

    monkeypatch.setattr(Denoising, "forward", loss)
    assert run(DENOISING % "weight: 0.5") == 0
    assert seen == [(6, 1, 3, 64, 64)] * 12
    light = checkpoint().state_dict()
    assert "encoder.project.weight" in light
    assert not any("objective" in name for name in light)


def test_another_weight_gives_another_encoder(run, checkpoint, tmp_path):
    encoders = []
    for number, block in enumerate(["", DENOISING % "weight: 0.1", DENOISING % "weight: 9"]):
        assert run(block, "--out", tmp_path / f"{number}.safetensors") == 0
        model = load_checkpoint(tmp_path / f"{number}.safetensors")
        encoders.append(model.state_dict()["encoder.project.weight"])
    assert not torch.equal(encoders[0], encoders[1])
    assert not torch.equal(encoders[1], encoders[2])


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("objective: {name: jigsaws, weight: 1}", "no objective named 'jigsaws'; there are"),
        ("objective: {name: denoising}", "a weight, or both"),
        ("objective: {name: denoising, weight: -1}", "a weight, or both"),
        ("objective: {weight: 1}", "name an objective"),
        ("objective: {name: denoising, weight: 1, settings: {nu: 1}}", "no setting named nu"),
        ("objective: {name: tcn_two_views, weight: 1}", "--second-view"),
    ],
)
def test_what_cannot_be_meant_is_refused(run, capsys, tmp_path, block, said):
    assert run(block) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "m.safetensors").exists()


def test_a_training_does_not_go_on_with_another_objective(run, capsys):
    assert run(DENOISING % "weight: 1") == 0
    assert run(DENOISING % "weight: 2") == 2
    assert "whose recipe says of its objective" in " ".join(capsys.readouterr().err.split())


def test_a_preview_is_pictures_to_look_at(run, capsys, tmp_path):
    assert run("objective: {name: psrl, weight: 1, settings: {batch_size: 4}}", "--preview") == 0
    sheet = cv2.imread(str(tmp_path / "m.training/preview.png"))
    assert sheet.std() > 5
    assert run(DENOISING % "weight: 1", "--preview") == 2
    assert "has no pictures" in " ".join(capsys.readouterr().err.split())
