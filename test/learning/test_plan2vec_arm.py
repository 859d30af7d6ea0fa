"""Plan2vec on latents: near and far, a graph of episodes, distances in steps."""

import numpy as np
import pytest
import torch
from corridor import CELLS, EPISODES, distances, every_pair, features, learn, model
from scipy.stats import spearmanr

from latentplan_ros.graph.frame_graph import GraphError
from latentplan_ros.learning.plan2vec.arm import (
    ArmRecipe,
    Plan2vecLocalStage,
    Plan2vecStage,
    latent_graph,
    some_episodes,
)

HEAD = {"kind": "plan2vec", "hidden": 64, "layers": 2, "features": 16, "points": 8, "p": 2.0}
QUICK = {"learning_rate": 3e-3, "batch_size": 64}


@pytest.fixture(scope="module")
def local_metric(corridor, cells, tmp_path_factory):
    """A model whose local metric is trained, on a corridor where an arm's pose is everything."""
    trained, recipe = model(HEAD), ArmRecipe(negatives=0.0, **QUICK)
    stage = Plan2vecLocalStage(trained, features(cells), corridor, EPISODES, recipe, 0)
    learn(stage, tmp_path_factory.mktemp("local"), 400)
    return trained


def test_a_step_is_near_and_more_is_far(local_metric):
    state, goal = every_pair()
    with torch.no_grad():
        found = local_metric.head.near(features(state), features(goal)).numpy()
    apart = np.abs(state - goal)
    assert found[apart == 0].max() < 0.1
    # In so small a world every sixth pair at random is a step apart.
    assert found[apart == 1].mean() == pytest.approx(1.2, abs=0.25)
    assert found[apart == 1].max() < found[apart >= 3].min()
    assert found[apart >= 3].min() > 1.6


def test_distances_are_the_steps_that_the_recordings_need(local_metric, corridor, cells, tmp_path):
    recipe = ArmRecipe(negatives=0.0, **QUICK, threshold=0.5)
    data = features(cells), corridor, EPISODES
    stage = Plan2vecStage(local_metric, *data, recipe, 0)
    learn(stage, tmp_path, 400)
    found, (state, goal) = distances(local_metric.head), every_pair()
    true = np.abs(state - goal)
    assert spearmanr(found.flatten(), true).statistic > 0.95
    assert np.abs(found.flatten().numpy() - true)[true > 0].mean() < 0.7
    assert found.diagonal().max() < 0.5


@pytest.mark.parametrize(("threshold", "told"), [(0.0, "joins none"), (1e6, "joins all")])
def test_a_threshold_that_tells_nothing_apart_is_refused(corridor, cells, threshold, told):
    recipe, data = ArmRecipe(threshold=threshold), (features(cells), corridor, EPISODES)
    with pytest.raises(GraphError, match=told):
        Plan2vecStage(model(HEAD), *data, recipe, 0)


def with_object(corridor, cells, place):
    """Latents of the arm in six numbers and of an object that no episode moves in two."""
    seen = features(cells)
    seen[:, 6:] = 0.1 * torch.as_tensor(place[np.arange(len(cells)) // 25], dtype=torch.float32)
    return seen


def test_an_object_elsewhere_at_the_same_arm_pose_is_far(corridor, cells, tmp_path):
    place = np.random.default_rng(0).choice([-1.0, 1.0], size=(40, 1))
    latents, found = with_object(corridor, cells, place), {}
    other = with_object(corridor, cells, -place)
    for share in (0.0, 0.5):
        trained, recipe = model(HEAD), ArmRecipe(negatives=share, **QUICK)
        stage = Plan2vecLocalStage(trained, latents, corridor, EPISODES, recipe, 0)
        folder = tmp_path / str(share)
        folder.mkdir()
        learn(stage, folder, 300)
        with torch.no_grad():
            found[share] = trained.head.near(latents, other).mean().item()
    assert found[0.5] > 1.5
    assert found[0.5] > 1.2 * found[0.0]


def test_negatives_have_the_pose_that_was_reached_in_another_episode(corridor):
    numbers = torch.arange(float(corridor.num_frames))[:, None].expand(-1, 8)  # latent: the frame
    stage = Plan2vecLocalStage(model(HEAD), numbers, corridor, EPISODES[:30], ArmRecipe(), 0)
    batch = stage.sample(np.random.default_rng(0), 4000)
    state, following, other = batch["latents"][..., 0].long().numpy()
    pose, posed = corridor.state[:, 0], batch["same_pose"].numpy()
    np.testing.assert_array_equal(following, state + 1)
    assert (following // 25 == state // 25).all()
    assert posed.mean() == pytest.approx(0.5, abs=0.05)
    np.testing.assert_array_equal(pose[other[posed]], pose[following[posed]])
    assert (other[posed] // 25 != state[posed] // 25).all()
    assert other.max() < 30 * 25, "held-out episodes stay out"
    elsewhere = pose[other[~posed]] != pose[following[~posed]]
    assert elsewhere.mean() == pytest.approx(1 - 1 / CELLS, abs=0.05)


def test_a_graph_is_of_whole_episodes_and_joins_none_at_its_end(corridor, cells, local_metric):
    chosen = some_episodes(corridor, EPISODES[:30], 260, seed=1)
    assert len(chosen) == len(set(chosen)) == 10
    assert set(chosen) <= set(EPISODES[:30])
    assert len(some_episodes(corridor, EPISODES, 3, seed=1)) == 1
    frames, ends = corridor.frames(chosen), 25 * np.arange(1, 11)
    recipe = ArmRecipe(threshold=0.5)
    graph = latent_graph(local_metric.head, features(cells[frames]), ends, recipe)
    start, end = graph.recorded.nonzero()
    assert len(start) == 10 * 24
    np.testing.assert_array_equal(frames[end], frames[start] + 1)
    assert (graph.edges[start, end] == 1.0).all()
    joined = graph.edges.tocoo()
    far = np.abs(cells[frames[joined.row]] - cells[frames[joined.col]])
    assert far.max() == 1
    assert (far == 0).sum() > 1000, "the same place in two episodes"


def test_small_batches_have_goals_too(corridor, cells, local_metric):
    recipe = ArmRecipe(threshold=0.5)
    stage = Plan2vecStage(local_metric, features(cells), corridor, EPISODES, recipe, 0)
    batch = stage.sample(np.random.default_rng(0), 8)
    assert batch["lengths"].shape == (4, 4)
    assert torch.isfinite(stage(batch)["loss"])
