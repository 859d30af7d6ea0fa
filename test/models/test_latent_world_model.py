"""The latent world model: imagination is open loop, and each candidate's future is its own."""

import numpy as np
import pytest
import torch

from latentplan_ros.models.latent_world_model import LatentWorldModel, PictureError

SPEC = {"latent": 8, "channels": 2, "hidden": 16, "layers": 2, "distance": None}


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = LatentWorldModel(SPEC).eval().requires_grad_(False)
    torch.nn.init.normal_(model.dynamics.change[-1].weight)  # as if trained: something moves
    return model


def test_candidates_imagined_together_are_those_imagined_alone(model):
    latent, actions = torch.randn(6, 12), torch.rand(6, 5, 4) * 2 - 1
    together = model.rollout(latent, actions)
    assert together.shape == (6, 5, 12)
    for index in range(6):
        alone = model.rollout(latent[index, None], actions[index, None])
        torch.testing.assert_close(together[index], alone[0])
    spread = model.rollout(latent[:1], actions)  # one start, many candidates
    torch.testing.assert_close(spread, model.rollout(latent[:1].repeat(6, 1), actions))


def test_going_on_from_an_imagined_latent_is_one_longer_rollout(model):
    latent, actions = torch.randn(3, 12), torch.rand(3, 9, 4) * 2 - 1
    whole = model.rollout(latent, actions)
    first = model.rollout(latent, actions[:, :4])
    rest = model.rollout(first[:, -1], actions[:, 4:])
    torch.testing.assert_close(whole, torch.cat([first, rest], dim=1))


def test_what_comes_later_does_not_change_what_comes_first(model):
    latent, actions = torch.randn(2, 12), torch.rand(2, 6, 4)
    changed = actions.clone()
    changed[:, 3:] = -1.0
    before, after = model.rollout(latent, actions), model.rollout(latent, changed)
    assert torch.equal(before[:, :3], after[:, :3])
    assert not torch.allclose(before[:, 3:, :8], after[:, 3:, :8])


def test_the_action_that_led_to_a_picture_belongs_to_its_latent(model):
    pictures = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    rest, last = model.encode(pictures), torch.tensor([[0.1, 0.2, 0.3, 1.0]] * 2)
    assert rest.shape == (2, 12)
    assert torch.equal(rest[:, 8:], torch.zeros(2, 4))
    moving = model.encode(pictures, last)
    assert torch.equal(moving[:, 8:], last)
    assert torch.equal(moving[:, :8], rest[:, :8])
    assert torch.equal(model.distance(moving, rest[:1]), model.distance(rest, rest[:1]))


@pytest.mark.parametrize(
    "pictures",
    [
        torch.rand(2, 3, 64, 64),
        torch.zeros(2, 64, 64, 3, dtype=torch.uint8),
        torch.zeros(3, 64, 64, dtype=torch.uint8),
        torch.zeros(2, 3, 48, 64, dtype=torch.uint8),
        torch.zeros(2, 1, 64, 64, dtype=torch.uint8),
        torch.from_numpy(np.zeros((2, 3, 64, 64), np.int16)),
    ],
    ids=["float", "channels last", "no batch", "size", "grey", "int16"],
)
def test_only_pictures_as_they_were_learned_from_are_encoded(model, pictures):
    with pytest.raises(PictureError, match=r"uint8 \[B, 3, 64, 64\]") as error:
        model.encode(pictures)
    assert str(list(pictures.shape)) in str(error.value)
    assert str(pictures.dtype) in str(error.value)


def test_decoded_pictures_are_pictures(model):
    pictures = model.decode(torch.randn(2, 5, 12) * 100)
    assert pictures.shape == (2, 5, 3, 64, 64)
    assert pictures.min() >= 0
    assert pictures.max() <= 1


def test_untrained_nothing_moves():
    model = LatentWorldModel(SPEC)
    latent = torch.randn(1, 12)
    future = model.rollout(latent, torch.rand(5, 13, 4) * 2 - 1)[..., :8]
    assert torch.equal(future, latent[:, :8].expand(5, 13, 8))
