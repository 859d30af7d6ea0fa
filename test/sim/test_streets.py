"""Made-up towns: every street can be driven both ways, and views show where one is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from latentplan_ros.sim.worlds.street_plan import (
    AVENUE_HALF_M,
    STREET_HALF_M,
    StreetPlan,
    nearest_part,
)
from latentplan_ros.sim.worlds.street_views import cast, render
from latentplan_ros.sim.worlds.streets import TOWNS, TownError, town

seeds = st.integers(0, 2**32)


@pytest.fixture(scope="module")
def small():
    return town("small", 3)


def on_a_road(plan, places, margin=0.0):
    """Whether each place is between the facades of some road."""
    east, north = places[:, 0], places[:, 1]
    return (
        (np.abs(east[:, None] - plan.avenues).min(1) < AVENUE_HALF_M + margin)
        | (np.abs(north[:, None] - plan.streets).min(1) < STREET_HALF_M + margin)
        | (np.abs(places @ plan.across) < AVENUE_HALF_M + margin)
    )


@given(seed=seeds, views=st.sampled_from([53, 255, 501]))
@settings(max_examples=15, deadline=None)
def test_places_lie_on_roads_about_ten_metres_apart_and_hang_together(seed, views):
    plan = StreetPlan.draw(views, np.random.default_rng(seed))
    places, pairs = plan.places()
    assert on_a_road(plan, places).all()
    assert len(np.unique(places.round(3), axis=0)) == len(places), "one picture a place"
    apart = np.linalg.norm(places[pairs[:, 0]] - places[pairs[:, 1]], axis=1)
    assert (apart > 5.0).all()
    assert (apart < 15.0).all()
    part = nearest_part(places, pairs, views)
    inside = pairs[np.isin(pairs, part).all(1)]
    assert len(np.unique(part)) == len(part) == views
    assert np.isin(part, inside).all()
    graph = coo_matrix((np.ones(len(inside)), inside.T), (len(places), len(places)))
    labels = connected_components(graph, directed=False)[1]
    assert len(np.unique(labels[part])) == 1


@given(seed=seeds)
@settings(max_examples=15, deadline=None)
def test_a_ray_ends_at_the_first_facade(seed):
    rng = np.random.default_rng(seed)
    plan = StreetPlan.draw(53, rng)
    places, _ = plan.places()
    places = places[np.linalg.norm(places, axis=1) < 100.0]
    starts = places[rng.integers(len(places), size=200)]
    turn = rng.uniform(0, 2 * np.pi, len(starts))
    ways = np.stack([np.sin(turn), np.cos(turn)], axis=1)
    length, _, facing = cast(plan, starts, ways)
    assert ((length > 1.0) & (length <= 400.0)).all()
    for share in np.linspace(0.0, 1.0, 50):
        assert on_a_road(plan, starts + share * length[:, None] * ways, 1e-4).all()
    ended = length < 400.0
    beyond = starts + (length + 1e-3)[:, None] * ways
    # A millimetre further it is in a house, or has slipped past its corner, no deeper than that.
    assert not on_a_road(plan, beyond[ended], -2e-3).any()
    assert ((ways * facing).sum(1)[ended] < 0).all(), "a facade is seen from outside"


@given(seed=seeds)
@settings(max_examples=10, deadline=None)
def test_pictures_show_sky_above_road_below_and_change_little_over_a_metre(seed):
    plan = StreetPlan.draw(53, np.random.default_rng(seed))
    street = np.array([[plan.avenues[5] + 50.0, plan.streets[5]]])
    near, next_door, far = (
        render(plan, np.add(street, [east, 0.0]), seed)[0].astype(float)
        for east in (0.0, 1.0, 200.0)
    )
    # To the east and west one sees along the street: sky above, and nothing but road below.
    for column in (16, 48):
        assert near[0, column] == 255
        assert near[-1, column] == pytest.approx(0.3 * 255, abs=1)
    assert np.abs(near - next_door).mean() < np.abs(near - far).mean()


def test_a_picture_shows_which_way_is_north():
    """A street from west to east has facades in the middle of the picture and at its edges."""
    plan = StreetPlan(np.array([-500.0, 500.0]), np.array([-500.0, 0.0, 500.0]), np.array([1.0, 0]))
    picture = render(plan, np.array([[100.0, 0.0]]), 0)[0]
    assert (picture[36, [0, 31, 32, 63]] < 255).all()
    assert (picture[36, [16, 47]] > 150).all(), "far away, in the haze"


@pytest.mark.parametrize("name", ["tiny", "small", "medium", "large"])
def test_every_street_is_driven_in_both_directions(name):
    views = {"tiny": 53, "small": 255, "medium": 501, "large": 1495}[name]
    data = town(name, 1)
    assert len(data.pictures) == TOWNS[name] == views
    steps = {tuple(step) for step in data.steps.tolist()}
    assert len(steps) == len(data.steps), "each step once"
    assert steps == {(end, start) for start, end in steps}
    graph = coo_matrix((np.ones(len(data.steps)), data.steps.T), (views, views))
    assert connected_components(graph, connection="strong")[0] == 1
    metres = np.linalg.norm(np.diff(data.truth[data.steps], axis=1)[:, 0], axis=1)
    np.testing.assert_allclose(data.lengths, metres / 10.0)
    assert data.lengths.mean() == pytest.approx(1.0, abs=0.05)
    assert len(np.unique(data.pictures, axis=0)) == views, "no two places look alike"


def test_drives_are_short_and_one_after_the_other(small):
    numbers, views = np.unique(small.sequence, return_counts=True)
    np.testing.assert_array_equal(numbers, np.arange(len(numbers)))
    assert (np.diff(small.sequence) >= 0).all()
    assert views.max() <= 100
    assert len(numbers) >= 255 / 100


def test_neighbours_look_more_alike_than_strangers_yet_not_the_same(small):
    flat = small.pictures.reshape(len(small.pictures), -1).astype(float)
    start, end = small.steps.T
    neighbours = np.abs(flat[start] - flat[end]).mean(1)
    strangers = np.abs(flat[start] - flat[np.random.default_rng(0).permutation(end)]).mean(1)
    assert neighbours.min() > 5
    assert np.median(neighbours) < 0.8 * np.median(strangers)


def test_a_town_is_the_same_every_time_and_another_for_another_seed():
    first, again, other = (town("tiny", seed) for seed in (3, 3, 4))
    for name in ("pictures", "steps", "lengths", "sequence", "truth"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert not np.array_equal(first.pictures, other.pictures)


def test_a_town_that_there_is_not_is_refused_with_those_that_there_are():
    with pytest.raises(TownError, match=r"no town 'paris'.*tiny, small, medium, large, huge"):
        town("paris", 0)
