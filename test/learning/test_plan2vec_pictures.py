"""Plan2vec on pictures: each part learns what it is for, in a room that is quickly learned."""

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from latentplan_ros.data.sequences import Sequences
from latentplan_ros.evaluation.plan2vec.accuracy import Pairs, share_right
from latentplan_ros.graph.frame_graph import GraphError
from latentplan_ros.learning.plan2vec.amortized import AmortizedRecipe, AmortizedSearchStage
from latentplan_ros.learning.plan2vec.fitted_q import FittedQRecipe, FittedQStage, PictureQ
from latentplan_ros.learning.plan2vec.learn import (
    Plan2vecRecipe,
    best_threshold,
    learn_local,
    picture_graph,
)
from latentplan_ros.learning.plan2vec.local import (
    LocalMetricStage,
    LocalRecipe,
    neighbours,
)
from latentplan_ros.learning.plan2vec.picture_vae import PictureVaeRecipe, PictureVaeStage
from latentplan_ros.learning.plan2vec.value_iteration import (
    ValueIterationRecipe,
    ValueIterationStage,
)
from latentplan_ros.learning.trainer import run_stage
from latentplan_ros.models.local_metric import SiameseMetric, StackedMetric
from latentplan_ros.models.picture_map import PictureMap, encoded
from latentplan_ros.sim.worlds.maze import MAZES, random_rollouts


@pytest.fixture(scope="module")
def recorded():
    rollouts = random_rollouts(MAZES["open"], 120, 10, 0)
    return Sequences.in_a_row(list(rollouts.pictures), list(rollouts.truth)), rollouts.moves


@pytest.fixture(scope="module")
def local_map(recorded, tmp_path_factory):
    recipe = Plan2vecRecipe(local=LocalRecipe(updates=60, batch_size=64))
    return learn_local(recorded[0], recipe, tmp_path_factory.mktemp("local"), 0)


def run(stage, folder):
    run_stage(Fabric(accelerator="cpu", devices=1), stage, folder, seed=0)
    return stage.eval()


def test_the_local_metric_knows_a_step_where_it_has_not_been(local_map):
    """Rollouts of another seed; far pairs by the truth."""
    other = random_rollouts(MAZES["open"], 60, 10, 1)
    other = Sequences.in_a_row(list(other.pictures), list(other.truth))
    pairs = Pairs.draw(other, 1, np.random.default_rng(0), step_m=0.1)
    features = local_map.features(other.pictures)
    assert share_right(pairs, features, local_map.threshold) > 0.97
    near = np.linalg.norm(features[pairs.near[:, 0]] - features[pairs.near[:, 1]], axis=1)
    assert np.median(near) == pytest.approx(1.0, abs=0.25), "a step is 1"


@pytest.mark.parametrize("objective", ["regression", "hinge", "nce"])
@pytest.mark.parametrize("kind", ["siamese", "stacked"])
def test_each_objective_tells_neighbours_from_others(recorded, tmp_path, objective, kind):
    torch.manual_seed(0)
    metric = SiameseMetric(8) if kind == "siamese" else StackedMetric("maze")
    recipe = LocalRecipe(objective=objective, updates=30, batch_size=16)
    run(LocalMetricStage(metric, recorded[0], recipe), tmp_path)
    pictures = torch.from_numpy(recorded[0].pictures)
    pairs = Pairs.draw(recorded[0], 1, np.random.default_rng(0), step_m=0.2)
    with torch.no_grad():
        near, far = (
            metric(pictures[p[:300, 0]], pictures[p[:300, 1]]).numpy()
            for p in (pairs.near, pairs.far)
        )
    # The share of pairs of pairs in the right order.
    assert (near[:, None] < far[None]).mean() > (0.9 if kind == "siamese" else 0.75)


def test_far_pairs_may_be_further_than_far_with_the_hinge(recorded):
    """B.1: a hinge pushes no pair back to 2; regression does."""

    def loss(objective):
        metric = SiameseMetric(4)
        stage = LocalMetricStage(metric, recorded[0], LocalRecipe(objective=objective))
        with torch.no_grad():  # all pictures very far apart
            metric.encoder.layers[-1].weight.mul_(1000.0)
        batch = stage.sample(np.random.default_rng(0), 8)
        batch["near"] = batch["start"]
        return stage(batch)["loss"].item()

    assert loss("hinge") < 2.0 < loss("regression")


def test_neighbours_reach_as_far_as_the_span():
    pictures = [np.zeros((5, 64, 64), np.uint8), np.zeros((3, 64, 64), np.uint8)]
    sequences = Sequences.in_a_row(pictures)
    pairs = {tuple(pair) for pair in neighbours(sequences, 2).tolist()}
    steps = {(0, 1), (1, 2), (2, 3), (3, 4), (5, 6), (6, 7)}
    assert pairs == steps | {(0, 2), (1, 3), (2, 4), (5, 7)}
    assert {tuple(pair) for pair in neighbours(sequences, 1).tolist()} == steps


def test_few_random_pairs_are_joined_where_few_may_be(recorded, tmp_path):
    recipe = Plan2vecRecipe(joined=0.002, local=LocalRecipe(updates=20, batch_size=64))
    found = learn_local(recorded[0], recipe, tmp_path, 0)
    features = found.features(recorded[0].pictures)
    pairs = np.random.default_rng(7).integers(len(features), size=(200_000, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    apart = np.linalg.norm(features[pairs[:, 0]] - features[pairs[:, 1]], axis=1)
    assert (apart <= found.threshold).mean() == pytest.approx(0.002, abs=0.001)


@pytest.mark.parametrize("seed", range(5))
def test_the_best_threshold_is_the_best(seed):
    rng = np.random.default_rng(seed)
    near, far = rng.normal(1.0, 0.3, 60), rng.normal(1.6, 0.4, 90)
    chosen = best_threshold(near, far)
    right = lambda at: (near <= at).sum() + (far > at).sum()  # noqa: E731
    assert right(chosen) == max(right(at) for at in [*near, *far, -np.inf])


def test_maps_distances_become_those_of_shortest_paths(recorded, local_map, tmp_path):
    graph = picture_graph(local_map, recorded[0], 32)
    recipe = AmortizedRecipe(updates=120, batch_size=256, searches=128)
    stage = AmortizedSearchStage(local_map.metric, recorded[0].pictures, graph, recipe, 0)
    before = _error(local_map, recorded[0], graph)
    run(stage, tmp_path)
    after = _error(local_map, recorded[0], graph)
    assert after < 0.1 < 0.5 < before, "of the mean distance"


def test_value_iteration_learns_what_is_far(recorded, local_map, tmp_path):
    few = recorded[0].only(np.arange(30))
    graph = picture_graph(local_map, few, 16)
    other = PictureMap(32, 8, 2.0)
    recipe = ValueIterationRecipe(
        updates=100, batch_size=32, learning_rate=3e-3, lookahead=2, renewed_every=15
    )
    run(ValueIterationStage(other.metric, few.pictures, graph, recipe), tmp_path)
    starts = np.arange(0, 330, 10)
    lengths = graph.distances(starts)
    points = other.eval().points(few.pictures)
    apart = np.linalg.norm(points[starts, None] - points, axis=-1)
    known = np.isfinite(lengths)
    assert np.corrcoef(lengths[known], apart[known])[0, 1] > 0.8


def test_value_iteration_goes_on_where_it_stopped(recorded, local_map, tmp_path):
    """The age of its target network is part of its state."""
    graph = picture_graph(local_map, recorded[0], 16)

    def trained(folder, *lengths):
        torch.manual_seed(0)
        metric = PictureMap(8, 4, 2.0).metric
        recipe = ValueIterationRecipe(updates=7, batch_size=4, step_limit=3, renewed_every=3)
        for updates in lengths:
            stage = ValueIterationStage(metric, recorded[0].pictures, graph, recipe)
            stage.updates = updates
            stage.rate = lambda progress: 1.0  # it would fall with the share of the updates
            run(stage, folder)
        return torch.cat([p.detach().flatten() for p in metric.parameters()])

    whole, parts = trained(tmp_path / "a", 7), trained(tmp_path / "b", 4, 7)
    torch.testing.assert_close(whole, parts, rtol=0, atol=0)


def test_fitted_q_prefers_the_move_towards_the_goal(tmp_path):
    """Rollouts along one line: the goal to the right is reached by moving right."""
    maze, rng = MAZES["open"], np.random.default_rng(0)
    moves = np.where(rng.random((150, 10)) < 0.5, 0, 4)  # east, west
    places = [np.stack([rng.uniform(-0.2, 0.2, 150), np.zeros(150)], axis=1)]
    for move in moves.T:
        places.append(maze.step(places[-1], move))
    places = np.stack(places, axis=1)
    pictures = maze.render(places.reshape(-1, 2)).reshape(150, 11, 64, 64)
    torch.manual_seed(0)
    q = PictureQ(8)
    recipe = FittedQRecipe(updates=100, batch_size=64)
    run(FittedQStage(q, Sequences.in_a_row(list(pictures)), moves.reshape(-1), recipe), tmp_path)
    here = torch.from_numpy(maze.render(np.array([[-0.1, 0.0], [0.1, 0.0]])))
    goal = torch.from_numpy(maze.render(np.array([[0.1, 0.0], [-0.1, 0.0]])))
    with torch.no_grad():
        values = q(here, goal)[:, [0, 4]]
    assert values[0, 0] > values[0, 1]
    assert values[1, 1] > values[1, 0]


def test_codes_of_the_vae_say_what_looks_alike(recorded, tmp_path):
    vae = PictureVaeStage(recorded[0].pictures, 8, PictureVaeRecipe(updates=60, batch_size=64))
    run(vae, tmp_path)
    codes, places = encoded(vae.means, recorded[0].pictures), recorded[0].truth
    some = np.random.default_rng(0).integers(len(codes), size=(500, 2))
    apart = np.linalg.norm(codes[some[:, 0]] - codes[some[:, 1]], axis=1)
    metres = np.linalg.norm(places[some[:, 0]] - places[some[:, 1]], axis=1)
    near, far = apart[metres < 0.05], apart[metres > 0.25]
    assert (near[:, None] < far[None]).mean() > 0.9


def test_a_metric_that_knows_nothing_is_refused(recorded):
    """Untrained features of pictures are all near one another."""
    found = PictureMap(8, 4, 2.0, threshold=100.0)
    with pytest.raises(GraphError, match="lower it"):
        picture_graph(found, recorded[0], 16)


def _error(found, sequences, graph):
    """Mean error of the map's distances, as a share of their mean."""
    starts = np.arange(5, len(sequences.pictures), 100)
    lengths = graph.distances(starts)
    points = found.points(sequences.pictures)
    apart = np.linalg.norm(points[starts, None] - points, axis=-1)
    return np.abs(apart - lengths).mean() / lengths.mean()
