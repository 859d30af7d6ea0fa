"""What every world model keeps to, whether it imagines latents or pictures."""

import pytest
import torch

from latentplan_ros.models.latent_world_model import LatentWorldModel, PictureError
from latentplan_ros.models.split_model import SplitModel
from latentplan_ros.models.video_world_model import VideoWorldModel
from latentplan_ros.planning import PixelDistance

Q = {"kind": "q", "hidden": 16, "layers": 3, "actor_layers": 3, "discount": 0.8, "nearness": 0.3}
SPEC = {"latent": 8, "channels": 2, "hidden": 16, "layers": 2, "distance": Q}
VIDEO = {"kind": "video", "video": {"filters": 2, "kernels": 2, "kernel_size": 5}}


@pytest.fixture(params=["latent", "video"])
def model(request):
    torch.manual_seed(0)
    made = LatentWorldModel(SPEC) if request.param == "latent" else VideoWorldModel(SPEC | VIDEO)
    torch.nn.init.normal_(made.dynamics.change[-1].weight)  # as if trained: something moves
    return made.eval().requires_grad_(False)


def pictures(count):
    return torch.randint(0, 256, (count, 3, 64, 64), dtype=torch.uint8)


def drawn(count, horizon):
    return torch.rand(count, horizon, 4) * 2 - 1


def test_candidates_imagined_together_are_those_imagined_alone(model):
    latent, actions = model.encode(pictures(4), drawn(4, 1)[:, 0]), drawn(4, 3)
    together = model.rollout(latent, actions)
    assert together.shape == (4, 3, latent.shape[1])
    for index in range(4):
        alone = model.rollout(latent[index, None], actions[index, None])
        torch.testing.assert_close(together[index], alone[0], atol=1e-4, rtol=1e-4)
    spread = model.rollout(latent[:1], actions)  # one start, many candidates
    torch.testing.assert_close(spread, model.rollout(latent[:1].repeat(4, 1), actions))


def test_step_by_step_is_one_rollout(model):
    latent, actions = model.encode(pictures(2), drawn(2, 1)[:, 0]), drawn(2, 5)
    whole = model.rollout(latent, actions)
    for step in range(5):
        latent = model.rollout(latent, actions[:, step, None])[:, -1]
        torch.testing.assert_close(latent, whole[:, step], atol=1e-5, rtol=1e-4)


def test_what_comes_later_does_not_change_what_comes_first(model):
    latent, actions = model.encode(pictures(2)), drawn(2, 4)
    changed = actions.clone()
    changed[:, 2:] = -1.0
    before, after = model.rollout(latent, actions), model.rollout(latent, changed)
    assert torch.equal(before[:, :2], after[:, :2])
    assert not torch.allclose(before[:, 2:], after[:, 2:])


def test_the_action_that_led_to_a_picture_changes_what_follows_and_not_where_it_is(model):
    seen = pictures(2)
    rest, moving = model.encode(seen), model.encode(seen, torch.ones(2, 4))
    assert torch.equal(model.distance(moving, rest[:1]), model.distance(rest, rest[:1]))
    assert torch.equal(model.decode(moving), model.decode(rest))
    actions = drawn(2, 2)
    futures = [model.decode(model.rollout(start, actions)) for start in (rest, moving)]
    assert not torch.allclose(*futures)


def test_distances_are_one_finite_number_a_pair_and_nearest_at_the_goal_itself(model):
    seen = pictures(3)
    latent = model.encode(seen)
    futures = model.rollout(latent, drawn(3, 2)).flatten(0, 1)
    for goal in (latent[:1], latent[:1].repeat(6, 1)):
        found = model.distance(futures, goal)
        assert found.shape == (6,)
        assert torch.isfinite(found).all()
    steps = model.distance(latent[:1], latent[:1]).item()
    assert steps >= 1.0 - 1e-4


@pytest.mark.parametrize("kind", [LatentWorldModel, VideoWorldModel])
def test_it_has_arrived_where_its_distance_says_so_whoever_asks(kind):
    hold = Q | {"kind": "q_sfa", "hold": 1e-3, "hold_features": 8}
    made = kind(SPEC | VIDEO | {"distance": hold}).eval()
    with torch.inference_mode():
        latent = made.encode(pictures(2))
        for asked in (made, SplitModel(made, 2)):
            assert asked.arrived(latent, latent[:1]).tolist() == [True, False]
        pixels = PixelDistance(made)
        latent = pixels.encode(pictures(2))
        assert not pixels.arrived(latent, latent).any()


def test_it_never_has_where_its_distance_does_not_say(model):
    latent = model.encode(pictures(2))
    assert not model.arrived(latent, latent).any()


def test_decoded_pictures_are_pictures(model):
    futures = model.rollout(model.encode(pictures(2)), drawn(2, 3))
    shown = model.decode(futures)
    assert shown.shape == (2, 3, 3, 64, 64)
    assert shown.min() >= 0
    assert shown.max() <= 1


def test_only_pictures_as_they_were_learned_from_are_encoded(model):
    with pytest.raises(PictureError, match=r"uint8 \[B, 3, 64, 64\]"):
        model.encode(torch.rand(2, 3, 64, 64))
