"""Objectives of video: what counts as in order, as forwards, as the same thing, as its colour."""

import pytest
import torch
from trials import Stub, batches, make

from latentplan_ros.data.dataset import DatasetError
from latentplan_ros.learning.objectives import odd_one_out, shuffle_and_learn, video_colorization
from latentplan_ros.learning.objectives.tracking import FRAMES, SIZE
from latentplan_ros.learning.representation.clusters import k_means
from latentplan_ros.learning.representation.following import followed, most_moving
from latentplan_ros.learning.representation.moments import at, drawn

CPU = torch.device("cpu")


def brightness(pictures):
    """An encoder's latents: the picture's brightness, 24 times."""
    return pictures.mean((1, 2, 3))[:, None].expand(-1, 24)


def clock(count, frames):
    """Windows of which the t-th picture has brightness t."""
    images = torch.arange(frames, dtype=torch.uint8).reshape(1, -1, 1, 1, 1)
    return {
        "images": images.expand(count, -1, 3, 64, 64),
        "episode": torch.arange(count),
    }


@pytest.mark.parametrize(
    "name",
    [
        *("shuffle_and_learn", "odd_one_out", "arrow_of_time", "tracking", "video_colorization"),
        *("tcn", "tcn_two_views", "beta_vae", "cc_vae", "grasp2vec"),
    ],
)
def test_every_weight_of_the_encoder_learns(name, recordings):
    objective = make(name, batch_size=8)
    objective(next(batches(objective, recordings(objective))))["loss"].backward()
    still = [n for n, w in objective.encoder.named_parameters() if not w.grad.abs().sum() > 0]
    assert still == []


def test_moments_are_drawn_from_low_to_high_with_both():
    low, high = torch.tensor([0, 3, 5]).repeat(200), torch.tensor([1, 3, 8]).repeat(200)
    moments = drawn(low, high).reshape(200, 3)
    assert [set(column.tolist()) for column in moments.T] == [{0, 1}, {3}, {5, 6, 7, 8}]
    frames = torch.arange(12).reshape(2, 6)
    assert at(frames, torch.tensor([1, 0])).tolist() == [1, 6]
    assert at(frames, torch.tensor([[1, 5], [0, 0]])).tolist() == [[1, 5], [6, 6]]


# Shuffle and Learn ---------------------------------------------------------------------------
def test_tuples_keep_to_tau_and_to_the_window():
    a, b, c, d, e = shuffle_and_learn.tuples(500, CPU).T
    assert ((a >= 0) & (a < b) & (b < c) & (c < d) & (d < e)).all()
    assert e.max() == shuffle_and_learn.FRAMES - 1
    assert a.min() == 0
    assert set((d - b).tolist()) == {2, 3, 4}
    assert torch.minimum(b - a, e - d).min() == shuffle_and_learn.TAU_MIN


def test_a_middle_between_its_ends_is_the_positive_and_one_beyond_them_the_negative():
    objective = make("shuffle_and_learn")
    objective.encoder = Stub(brightness)
    seen = []

    def judge(triples):
        begin, middle, end = triples[..., ::24].unbind(-1)
        seen.append((begin, middle, end))
        return 20.0 * ((begin < middle) & (middle < end)).float()[..., None] - 10.0

    objective.classify = Stub(judge)
    losses = objective(clock(64, shuffle_and_learn.FRAMES))
    assert losses["loss"] < 1e-3
    assert losses["right"] == 1.0
    begin, middle, end = seen[0]
    assert (begin == begin[:, :1]).all()  # all three of a tuple begin and end alike
    assert (end == end[:, :1]).all()
    within = (begin < middle) & (middle < end)
    assert within.sum(1).tolist() == [1] * 64  # two negatives a positive
    assert (middle[:, 1] < begin[:, 1]).all()
    assert (middle[:, 2] > end[:, 2]).all()


# Odd one out ---------------------------------------------------------------------------------
def test_one_clip_is_out_of_order_and_all_others_in_order():
    moments, odd = odd_one_out.questions(400, CPU)
    assert moments.shape == (400, 6, 4)
    assert (moments.min(), moments.max()) == (0, odd_one_out.FRAMES - 1)
    in_order = (moments.diff(dim=2) > 0).all(2)
    assert (in_order.sum(1) == 5).all()
    assert not in_order[torch.arange(400), odd].any()
    assert set(odd.tolist()) == set(range(6))
    # No picture is in a clip twice, the odd one's neither.
    assert (moments.sort(2)[0].diff(dim=2) > 0).all()


def test_activations_are_fused_by_the_sum_of_their_differences():
    objective = make("odd_one_out")
    activations = torch.randn(6)
    pairs = sum(activations[i] - activations[j] for j in range(6) for i in range(j))
    torch.testing.assert_close(objective.fusion @ activations, pairs)


# Arrow of time -------------------------------------------------------------------------------
def test_clips_that_play_as_recorded_are_forwards():
    objective = make("arrow_of_time")
    objective.encoder = Stub(brightness)
    objective.classify = lambda latents: 10.0 * (latents[:, 1, 0] - latents[:, 0, 0]).sign()
    losses = objective(clock(4, 8))
    assert losses["loss"] < 1e-3
    assert losses["right"] == 1.0


# Tracking ------------------------------------------------------------------------------------
def moving_thing(count, frames):
    """A patterned square that goes its way over a still pattern; where its middle is."""
    picture = 0.3 * torch.rand(1, 1, 3, 64, 64)
    images, middles = picture.repeat(count, frames, 1, 1, 1), torch.empty(count, frames, 2)
    thing = 0.5 + 0.5 * torch.rand(3, 12, 12)
    for i in range(count):
        x, y = 12 + torch.randint(24, (2,))
        dx, dy = torch.randint(-2, 4, (2,)).tolist()
        for t in range(frames):
            row, column = int(y) + dy * t - 6, int(x) + dx * t - 6
            images[i, t, :, max(row, 0) : row + 12, max(column, 0) : column + 12] = thing[
                :, max(-row, 0) :, max(-column, 0) :
            ]
            middles[i, t] = torch.tensor([row + 6, column + 6])
    return images, middles


def test_what_moves_is_found_and_followed():
    torch.manual_seed(1)
    images, middles = moving_thing(40, FRAMES)
    moved = (middles[:, 1] != middles[:, 0]).any(1)
    images, middles = images[moved], middles[moved]
    top, left = most_moving(images[:, 0], images[:, 1], images[:, 2], SIZE)
    inside = torch.stack([top, left], dim=1) + SIZE // 2
    far = (inside - middles[:, 1].clamp(SIZE // 2, 64 - SIZE // 2)).abs().amax(1)
    assert far.max() <= 4
    later = torch.stack(followed(images[:, 1:], top, left, SIZE), dim=1)
    went = later - torch.stack([top, left], dim=1)
    room = ((later > 0) & (later < 64 - SIZE)).all(1)  # a window cannot leave the picture
    off = (went - (middles[:, -1] - middles[:, 1]))[room].abs().amax(1)
    assert room.sum() > 20
    assert (off <= 1).float().mean() > 0.9


def test_negatives_are_of_other_episodes_first_at_random_then_the_hardest():
    objective = make("tracking", random_updates=2, negatives=2)
    episode = torch.tensor([0, 0, 1, 2, 2])
    torch.manual_seed(0)
    far = torch.rand(5, 10)
    allowed = (episode[:, None] != episode).repeat(1, 2)
    hardest = far.masked_fill(~allowed, 9.0).sort(1)[0][:, :2]
    drawn_ones = [objective._chosen(far, episode) for _ in range(20)]
    assert any(not torch.equal(chosen, drawn_ones[0]) for chosen in drawn_ones)
    for chosen in drawn_ones:
        of_others = [set(row[ok].tolist()) for row, ok in zip(far, allowed, strict=True)]
        assert all(set(c.tolist()) <= o for c, o in zip(chosen, of_others, strict=True))
    objective.after_update()
    objective.after_update()
    torch.testing.assert_close(objective._chosen(far, episode), hardest)


def test_windows_of_one_episode_alone_are_refused(table):
    objective = make("tracking", batch_size=4)
    batch = next(batches(objective, [table]))
    batch["episode"] = torch.zeros(4, dtype=torch.long)
    with pytest.raises(DatasetError, match="tracking needs patches of other episodes"):
        objective(batch)


# Video colorization --------------------------------------------------------------------------
def test_pointers_copy_the_colour_of_the_place_that_they_point_to():
    features = 20.0 * torch.eye(9)[None]
    colours = torch.rand(1, 9, 4)
    moved = torch.randperm(9)
    got = video_colorization.copied(features, features[:, moved], colours)
    torch.testing.assert_close(got, colours[:, moved])


def test_equal_pictures_with_features_that_tell_places_apart_get_their_own_colours(table):
    objective = make("video_colorization", batch_size=4)
    batch = next(batches(objective, [table]))
    batch["images"] = batch["images"][:, :1].expand(-1, 4, -1, -1, -1)
    places = 20.0 * torch.eye(256).reshape(1, 256, 16, 16)
    objective.decoder = Stub(lambda latents: places.expand(len(latents), -1, -1, -1))
    losses = objective(batch)
    assert losses["right"] == 1.0
    assert losses["loss"] < 1e-3


def test_clusters_are_the_colours_there_are_also_the_rare_ones():
    colours = torch.tensor([[0.0, 0.0], [40.0, 5.0], [-30.0, 20.0], [10.0, -60.0]])
    values = colours.repeat_interleave(torch.tensor([900, 60, 39, 1]), 0)
    values = values + 0.5 * torch.rand_like(values)
    centres = k_means(values, 4, 5)
    assert torch.cdist(colours, centres).amin(1).max() < 1.0
    assert torch.equal(centres, k_means(values, 4, 5))
    few = k_means(colours[:2], 4, 5)
    assert torch.cdist(colours[:2], few).amin(1).max() == 0.0


def test_video_colorization_sees_no_colour(table):
    objective = make("video_colorization", batch_size=4)
    seen = []
    encoder = objective.encoder
    objective.encode = lambda gray: (seen.append(gray), encoder(255.0 * gray))[1]
    objective(next(batches(objective, [table])))
    red, green, blue = seen[0].unbind(1)
    torch.testing.assert_close(red, green, atol=2e-3, rtol=0)
    torch.testing.assert_close(red, blue, atol=2e-3, rtol=0)
