"""The distance by what one step changes: computed from latents, kept by a checkpoint."""

import numpy as np
import pytest
import torch
from corridor_data import write_corridor
from hypothesis import given
from hypothesis import strategies as st

from latentplan_ros.data.dataset import DatasetError
from latentplan_ros.learning.mahalanobis import MahalanobisRecipe, fit_whitening
from latentplan_ros.learning.mbold_sfa import MboldSfaRecipe
from latentplan_ros.models.latent_world_model import LatentWorldModel

SPEC = {"latent": 4, "channels": 2, "hidden": 8, "layers": 1, "distance": {"kind": "mahalanobis"}}


@pytest.fixture(scope="module")
def corridor(tmp_path_factory):
    path = tmp_path_factory.mktemp("corridor") / "corridor.zarr"
    return write_corridor(path, [np.random.default_rng(i) for i in range(40)])


def walk(dataset, scales):
    """Latents that go at random, each number by its own steps; episodes begin far apart."""
    generator = torch.Generator().manual_seed(0)
    steps = torch.randn(dataset.num_frames, len(scales), generator=generator).double()
    latents = (steps * torch.tensor(scales, dtype=torch.double)).cumsum(0)
    for start in dataset.episode_starts:
        latents[start:] += 1e3
    return latents.float()


def fitted(dataset, latents, episodes=None, ridge=1e-6, slowness=0.0):
    model = LatentWorldModel(SPEC)
    episodes = np.arange(dataset.num_episodes) if episodes is None else episodes
    fit_whitening(model, latents, dataset, episodes, MahalanobisRecipe(ridge, slowness))
    return model


def test_what_moves_in_small_steps_weighs_more(corridor):
    head = fitted(corridor, walk(corridor, [1.0, 0.1, 1.0, 1.0])).head
    aside = head(torch.eye(4), torch.zeros(4, 4))
    assert aside[1] / aside[0] == pytest.approx(10.0, rel=0.2)
    # Jumps between episodes would make every number as slow.
    assert aside[0] / aside[2] == pytest.approx(1.0, rel=0.2)


def test_two_pictures_in_a_row_are_one_step_apart(corridor):
    latents = walk(corridor, [3.0, 0.2, 1.0, 0.5])
    head = fitted(corridor, latents).head
    before = torch.from_numpy(corridor.frames(np.arange(40), before_end=1))
    assert head(latents[before], latents[before + 1]).median() == pytest.approx(1.0, rel=0.01)


@given(st.lists(st.floats(-3, 3, width=32), min_size=12, max_size=12))
def test_it_is_a_metric_in_which_ways_add_up(corridor, numbers):
    a, b, c = torch.tensor(numbers).view(3, 1, 4)
    head = fitted(corridor, walk(corridor, [3.0, 0.2, 1.0, 0.5])).head
    assert head(a, a) == 0.0
    assert torch.allclose(head(a, b), head(b, a))
    assert head(a, c) <= head(a, b) + head(b, c) + 1e-3
    assert torch.allclose(head(a, a + 2 * (b - a)), 2 * head(a, b), rtol=1e-3, atol=1e-4)


def test_held_out_episodes_say_nothing(corridor):
    latents = walk(corridor, [1.0, 1.0, 1.0, 1.0])
    known = fitted(corridor, latents, np.arange(4)).head.whitening
    latents[corridor.episode_starts[4] :] *= torch.tensor([100.0, 1.0, 1.0, 1.0])
    assert torch.equal(fitted(corridor, latents, np.arange(4)).head.whitening, known)


def test_what_never_moves_weighs_finitely_and_an_arm_that_mostly_rests_is_refused(corridor):
    latents = walk(corridor, [1.0, 0.0, 1.0, 1.0])
    for start in corridor.episode_starts:
        latents[start:, 1] -= 1e3
    assert fitted(corridor, latents).head.whitening.isfinite().all()
    latents[: int(0.6 * len(latents))] = 0.0
    for resting in (latents, torch.zeros(corridor.num_frames, 4)):
        with pytest.raises(DatasetError, match="the same as the one before"):
            fitted(corridor, resting)


def test_slowness_favours_what_travels_far_in_small_steps(corridor):
    """Number 1 stands elsewhere in each episode, and the others go as far in one step."""
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(corridor.num_frames, 4, generator=generator)
    latents[:, 1] *= 0.05
    for start in corridor.episode_starts:
        latents[start:, 1] += torch.randn(1, generator=generator)
    plain, slow = (fitted(corridor, latents, slowness=s).head for s in (0.0, 1.0))
    ways = [head(torch.eye(4), torch.zeros(4, 4)) for head in (plain, slow)]
    shares = [way[1] / way[[0, 2, 3]].mean() for way in ways]
    assert shares[0] == pytest.approx(20.0, rel=0.2)  # the ratio of their steps
    assert shares[1] > 10.0 * shares[0]


def test_slow_features_are_added_to_the_steps_of_q(corridor):
    latents = walk(corridor, [1.0, 0.1, 1.0, 1.0])
    sizes = {"hidden": 8, "layers": 3, "actor_layers": 3, "discount": 0.8}
    torch.manual_seed(0)
    model = LatentWorldModel(SPEC | {"distance": {"kind": "q_sfa", "slow_weight": 2.0, **sizes}})
    torch.manual_seed(0)
    alone = LatentWorldModel(SPEC | {"distance": {"kind": "q", **sizes}})
    episodes = np.arange(corridor.num_episodes)
    fit_whitening(model, latents, corridor, episodes, MboldSfaRecipe(ridge=1e-6, slowness=0.0))
    state, goal = torch.randn(2, 9, 4)
    added = fitted(corridor, latents).head(state, goal)
    whole = alone.head(state, goal) + 2 * added
    torch.testing.assert_close(model.head(state, goal), whole)
    model.head.arrival = float(added.median())  # nothing is to be gained where one is
    there = added < model.head.arrival
    assert there.any()
    assert (model.head(state, goal)[there] == 0.0).all()
    torch.testing.assert_close(model.head(state, goal)[~there], whole[~there])


def test_slow_features_tell_where_to_hold_and_leave_the_distance_as_it_is(corridor):
    """Number 1 is the slowest: how far the others are off counts for the distance alone."""
    latents = walk(corridor, [1.0, 0.1, 1.0, 1.0])
    sizes = {"hidden": 8, "layers": 3, "actor_layers": 3, "discount": 0.8, "slow_weight": 2.0}
    torch.manual_seed(0)
    model = LatentWorldModel(
        SPEC | {"distance": {"kind": "q_sfa", "hold": 3.0, "hold_features": 1, **sizes}}
    )
    episodes = np.arange(corridor.num_episodes)
    latents[:, 1] += torch.from_numpy(
        corridor.episode_starts.searchsorted(np.arange(corridor.num_frames), side="right").astype(
            np.float32
        )
    )
    fit_whitening(model, latents, corridor, episodes, MboldSfaRecipe(ridge=1e-6))
    goal = torch.zeros(1, 8)
    aside, off = torch.zeros(1, 8), torch.zeros(1, 8)
    aside[0, 0], off[0, 1] = 5.0, 5.0
    near = torch.cat([goal, aside, off])
    assert model.arrived(near, goal).tolist() == [True, True, False]
    before = model.distance(near, goal)
    model.head.hold = 0.0
    assert not model.arrived(near, goal).any()
    torch.testing.assert_close(model.distance(near, goal), before)
