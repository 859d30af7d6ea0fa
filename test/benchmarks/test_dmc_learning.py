"""PSRL's benchmark without the suite: what each loss teaches, what is kept, what is written."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.dmc.crops import centre_crop, random_crop  # noqa: E402
from benchmarks.dmc.methods import METHODS  # noqa: E402
from benchmarks.dmc.networks import (  # noqa: E402
    CELLS,
    COVERED,
    FINE_COVERED,
    Actor,
    FrameEncoder,
)
from benchmarks.dmc.plan import DmcError, Plan, SacSettings  # noqa: E402
from benchmarks.dmc.psrl import Psrl  # noqa: E402
from benchmarks.dmc.replay import Replay  # noqa: E402
from benchmarks.dmc.results import Curves  # noqa: E402
from benchmarks.dmc.sac import Sac, as_tensor  # noqa: E402
from benchmarks.dmc.tasks import TASKS  # noqa: E402

CPU = torch.device("cpu")
SMALL = SacSettings(batch_size=4, initial_steps=15)


def test_a_crop_is_one_window_for_all_pictures_of_an_item() -> None:
    rows, columns = np.indices((100, 100), dtype=np.uint8)
    picture = np.stack([rows, columns, rows], axis=-1)
    cropped = random_crop(np.random.default_rng(0), np.broadcast_to(picture, (4, 30, 100, 100, 3)))
    assert cropped.shape == (4, 30, 84, 84, 3)
    corners = cropped[:, :, 0, 0, :2]
    assert (corners == corners[0]).all()
    assert corners.min() == 0
    assert corners.max() == 16
    assert (cropped[..., 83, 83, :2] == corners + 83).all()
    assert centre_crop(picture)[0, 0].tolist() == [8, 8, 8]


def test_a_replay_puts_observations_together_and_no_two_episodes() -> None:
    replay = Replay(capacity=100, actions=1)
    for episode in (10, 20):
        replay.begin(_flat(episode))
        for step in range(1, 4):
            replay.add(np.array([step]), float(episode + step), _flat(episode + step))
    drawn = replay.sample(np.random.default_rng(0), 200)
    seen = {tuple(numbers) for numbers in drawn.pictures[:, :, 0, 0, 0].T.tolist()}
    expected = [(0, 0, 0, 1), (0, 0, 1, 2), (0, 1, 2, 3)]
    assert seen == {tuple(e + n for n in numbers) for e in (10, 20) for numbers in expected}
    assert (drawn.rewards == drawn.pictures[3, :, 0, 0, 0]).all()
    assert (drawn.actions[:, 0] == drawn.rewards % 10).all()


def test_a_full_replay_forgets_the_oldest() -> None:
    replay = Replay(capacity=6, actions=1)
    replay.begin(_flat(0))
    for step in range(1, 20):
        replay.add(np.zeros(1), float(step), _flat(step))
    drawn = replay.sample(np.random.default_rng(0), 100)
    assert set(drawn.pictures[0, :, 0, 0, 0].tolist()) == {14, 15, 16}
    assert (np.diff(drawn.pictures[:, :, 0, 0, 0].astype(int), axis=0) == 1).all()


# What each loss teaches


def test_the_target_by_hand() -> None:
    sac = _agent("sac")
    batch = {"rewards": torch.tensor([1.0, 2.0])}
    features = torch.rand(3, 2, 32, 16, 16)
    for parameter in sac.target_critic.network.parameters():
        parameter.zero_()
    sac.target_critic.network.q[0][-1].bias.fill_(5.0)
    sac.target_critic.network.q[1][-1].bias.fill_(3.0)
    torch.manual_seed(0)
    _, log_density = sac.actor.sample(features)
    torch.manual_seed(0)
    target = sac.target(batch, features, features)
    expected = batch["rewards"] + 0.99 * (3.0 - 0.1 * log_density)
    torch.testing.assert_close(target, expected)


def test_the_density_of_a_squashed_action() -> None:
    actor = Actor(2).double()
    features = torch.rand(3, 5, 32, 16, 16, dtype=torch.float64)
    action, log_density = actor.sample(features)
    mean, deviation = actor(features)
    normal = torch.distributions.TransformedDistribution(
        torch.distributions.Normal(mean, deviation), torch.distributions.TanhTransform()
    )
    torch.testing.assert_close(log_density, normal.log_prob(action).sum(1), rtol=1e-4, atol=1e-4)


def test_the_actor_teaches_nobody_but_itself() -> None:
    sac = _agent("sac")
    seen, _ = sac.look(_batch("sac"))
    loss, _ = sac.actor_loss(seen.coarse)
    loss.backward()
    taught = _taught(sac)
    assert taught == {n for n, _ in sac.named_parameters() if n.startswith("actor.")}


def test_the_critic_teaches_the_encoder_and_no_target() -> None:
    sac, batch = _agent("sac"), _batch("sac")
    seen, after = sac.look(batch)
    target = sac.target(batch, after, seen.target_coarse)
    sac.critic_loss(seen.latent, batch["actions"], target).backward()
    learners = ("encoder.", "latent.", "critic.")
    assert _taught(sac) == {n for n, _ in sac.named_parameters() if n.startswith(learners)}


@pytest.mark.parametrize("method", ["curl", "psrl"])
def test_an_auxiliary_loss_teaches_the_encoder_and_neither_q_nor_actor(method: str) -> None:
    sac, batch = _agent(method), _batch(method)
    seen, _ = sac.look(batch)
    assert sac.auxiliary is not None
    sac.auxiliary(seen, batch["actions"])["loss"].backward()
    taught = _taught(sac)
    assert {n for n, _ in sac.encoder.named_parameters(prefix="encoder")} <= taught
    assert taught >= {
        name
        for name, weight in sac.auxiliary.named_parameters(prefix="auxiliary")
        if weight.requires_grad
    }
    assert not any(n.startswith(("critic.", "actor.", "target_", "log_alpha")) for n in taught)


def test_slow_copies_follow_every_second_update_at_the_papers_rates() -> None:
    sac, batch = _agent("sac"), _batch("sac")
    optimizers = sac.optimizers()
    for target, source, tau in (
        (sac.target_critic, sac.critic, 0.01),
        (sac.target_latent, sac.latent, 0.05),
        (sac.target_encoder, sac.encoder, 0.05),
    ):
        before = [p.clone() for p in target.network.parameters()]
        sac.update(batch, optimizers, number=1)
        assert all(map(torch.equal, before, target.network.parameters()))
        sac.update(batch, optimizers, number=2)
        for old, own, leader in zip(
            before, target.network.parameters(), source.parameters(), strict=True
        ):
            torch.testing.assert_close(own, old + tau * (leader - old))


@pytest.mark.parametrize("method", METHODS)
def test_losses_of_one_batch_go_down(method: str) -> None:
    sac, batch = _agent(method), _batch(method)
    optimizers = sac.optimizers()
    losses = [sac.update(batch, optimizers, number) for number in range(15)]
    assert losses[-1]["critic"] < losses[0]["critic"]
    if sac.auxiliary is not None:
        assert losses[-1]["auxiliary_loss"] < losses[0]["auxiliary_loss"]


def test_coarse_cells_stand_on_the_middle_of_a_picture() -> None:
    """Where correspondences compare pictures, and warp features."""
    encoder = FrameEncoder()
    for weights in encoder.parameters():
        torch.nn.init.constant_(weights, float(weights.ndim > 1))
    row, column = 4, 13
    picture = torch.full((1, 3, 84, 84), 127.5)  # nothing, to centred colours
    middle = [COVERED.start + 4 * cell + 2 for cell in (row, column)]
    picture[:, :, middle[0], middle[1]] = 255.0
    fine, coarse = encoder(picture)
    assert coarse.shape[2:] == (CELLS, CELLS)
    assert COVERED.stop - COVERED.start == 4 * CELLS
    assert divmod(int(coarse[0, 0].argmax()), CELLS) == (row, column)
    fine = fine[0, 0, FINE_COVERED, FINE_COVERED]
    assert fine.shape == (2 * CELLS, 2 * CELLS)
    assert {(r // 2, c // 2) for r, c in fine.nonzero().tolist()} == {(row, column)}


def test_psrl_learns_what_moved() -> None:
    """Of smooth textures that all move 4 pixels right, flows point to where they were."""
    rng, size = np.random.default_rng(0), (160, 160)
    small = rng.integers(0, 255, (4, 12, 12, 3), dtype=np.uint8)
    textures = np.stack([cv2.resize(one, size) for one in small])
    frames = [textures[:, 30:114, 40 - 4 * t : 124 - 4 * t] for t in range(4)]
    batch = {
        "pictures": as_tensor(np.stack(frames), CPU),
        "actions": torch.zeros(4, 1),
        "rewards": torch.zeros(4),
    }
    sac = _agent("psrl")
    assert isinstance(sac.auxiliary, Psrl)
    optimizers = sac.optimizers()
    losses = [sac.update(batch, optimizers, number) for number in range(25)]
    seen, _ = sac.look(batch)
    flows, _ = sac.auxiliary.correspond(seen)
    assert flows.shape == (3 * 4, 2, 64, 64)
    right, down = flows.detach().mean((0, 2, 3)).tolist()
    assert right == pytest.approx(-4, abs=0.7)
    assert down == pytest.approx(0, abs=0.7)
    assert losses[-1]["auxiliary_correspondence"] < 0.7 * losses[0]["auxiliary_correspondence"]
    assert losses[-1]["auxiliary_similarity"] < losses[0]["auxiliary_similarity"]


def test_steps_are_whole_episodes() -> None:
    with pytest.raises(DmcError, match="--steps 2000"):
        Plan(steps=1600)


def test_seeds_are_added_to_a_figure_named_by_its_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.destination.RESULTS", tmp_path)
    for steps, title in ((100_000, "cartpole_swingup"), (5000, "cartpole_swingup_5000")):
        for seed, value in enumerate((100.0, 300.0)):
            curves = Curves(TASKS["cartpole"], "sac", Plan(steps=steps), quick=False)
            assert len(curves.by_seed) == seed
            curves.add(seed, {"curve": [{"step": steps, "returns": [value] * 10}]}, "cpu")
        document = _json(tmp_path / "dmc" / f"{title}.sac.json")
        figure = document["figures"][f"dmc/{title}/sac"]
        assert figure["value"] == 200.0
        assert figure["n"] == 2
        assert document["settings"]["steps"] == steps
        assert document["settings"]["agent_steps"] == steps // 8
        assert document["seeds"] == [0, 1]


def _flat(value: int) -> np.ndarray:
    return np.full((100, 100, 3), value, np.uint8)


def _json(file: Path) -> dict:
    return json.loads(file.read_text())


def _agent(method: str) -> Sac:
    torch.manual_seed(0)
    return METHODS[method].agent(1, SMALL)


def _batch(method: str) -> dict[str, torch.Tensor]:
    """Of a bright square that actions move over a floor of noise."""
    rng, replay = np.random.default_rng(0), Replay(100, 1)
    floor = rng.integers(0, 60, (100, 100, 3), dtype=np.uint8)
    for place in range(30, 70, 4):
        picture = floor.copy()
        picture[40:60, place : place + 14] = 220
        if place == 30:
            replay.begin(picture)
        else:
            replay.add(np.array([1.0]), place / 70, picture)
    return METHODS[method].batch(replay, rng, 4, CPU)


def _taught(sac: Sac) -> set[str]:
    return {name for name, weight in sac.named_parameters() if weight.grad is not None}
