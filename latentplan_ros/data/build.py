"""Recorded bags to a training dataset: ``latentplan dataset build BAGS -o D.zarr``."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from rich.progress import track as progress

from latentplan_ros.control.profile import RobotProfile, load_profile
from latentplan_ros.control.target import next_target
from latentplan_ros.data.alignment import (
    AlignmentError,
    Ticks,
    ages,
    control_ticks,
    newest_before,
    unbroken,
)
from latentplan_ros.data.bag_writer import BagError
from latentplan_ros.data.bags import find_bags, open_bag
from latentplan_ros.data.dataset import DatasetInfo, DatasetWriter
from latentplan_ros.data.episode import Episode
from latentplan_ros.data.preprocess import Preprocess
from latentplan_ros.data.recording import ActionSource, Recording, Topics, Track, read_recording


class BuildError(ValueError):
    """No dataset can be built from these bags; the message says why."""


@dataclass
class BuildReport:
    """What became of the bags.

    alignment: for each topic how old its samples were at the ticks that used them; filled: share of
    ticks without an action of their own; clipped: share of actions that were larger than 1 and were
    cut; problems: one line for each bag, message or stretch that could not be used.
    """

    dataset: Path
    bags: int = 0
    episodes: int = 0
    frames: int = 0
    alignment: dict[str, AlignmentError] = field(default_factory=dict)
    filled: float = 0.0
    clipped: float = 0.0
    problems: list[str] = field(default_factory=list)


@dataclass
class Aligned:
    """Episodes of one bag, with what the report wants to know."""

    episodes: list[Episode]
    ages_s: dict[str, np.ndarray]
    filled: int
    clipped: int
    ticks: int
    problems: list[str]


def build(
    bags: Sequence[Path],
    out: Path,
    robot: str = "",
    action_source: ActionSource = "action",
    topics: Topics | None = None,
    shortest: int = 5,
) -> BuildReport:
    """Build the dataset ``out`` from bags, or folders of bags; one bad bag does not spoil the rest.

    robot: profile name or file; empty: the one that the recorder noted in the bags.
    action_source: ``action`` takes the recorded actions; ``target_pose`` inverts ``next_target``;
    ``current_pose`` takes what the arm did, the difference of two poses. shortest: frames below
    which a piece between two gaps is dropped.
    Raises BuildError when ``out`` exists, the robot is unknown, or not one episode can be made;
    BagError when a path is no bag; ProfileError when there is no such robot.
    """
    out, topics = Path(out), topics or Topics()
    if out.exists():
        raise BuildError(f"{out} exists already; choose another path or remove it")
    paths = find_bags(bags)
    profile = load_profile(robot or _recorded_robot(paths))
    report = BuildReport(out)
    scratch = out.with_name(f".{out.name}.building")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        _fill(scratch, paths, profile, action_source, topics, shortest, report)
        if report.episodes == 0:
            raise BuildError("no episode could be made; " + "; ".join(report.problems[:5]))
        scratch.rename(out)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return report


def _fill(
    scratch: Path,
    paths: list[Path],
    profile: RobotProfile,
    source: ActionSource,
    topics: Topics,
    shortest: int,
    report: BuildReport,
) -> None:
    preprocess = Preprocess()
    writer: DatasetWriter | None = None
    all_ages: dict[str, list[np.ndarray]] = {}
    acted: list[np.ndarray] = []
    counts = np.zeros(3, np.int64)  # ticks, filled, clipped
    for path in progress(paths, description="reading bags"):
        try:
            with open_bag(path) as bag:
                _require_robot(path, bag.about.get("robot", ""), profile)
                recording = read_recording(bag, topics, profile, source, preprocess)
                task = bag.about.get("task", "")
        except (BagError, BuildError) as error:
            report.problems.append(str(error))
            continue
        aligned = align(recording, profile, source, shortest)
        report.problems += [*recording.problems, *(f"{path}: {p}" for p in aligned.problems)]
        if not aligned.episodes:
            continue
        if writer is None:
            info = DatasetInfo(
                action_space=profile.action,
                camera=recording.image.topic,
                image_size=preprocess.size,
                state_names=(*profile.joints, "tcp_x", "tcp_y", "tcp_z"),
                truth_names=recording.truth_names,
                source="bags",
                task=task,
                notes={"action_source": source, "preprocess": preprocess.to_dict()},
            )
            writer = DatasetWriter(scratch, info)
        if recording.truth_names != writer.info.truth_names:
            report.problems.append(f"{path}: ground truth is not that of the bags before it")
            continue
        for episode in aligned.episodes:
            writer.append(episode)
            acted.append(episode.action[:-1])
        report.bags += 1
        report.episodes += len(aligned.episodes)
        report.frames += sum(map(len, aligned.episodes))
        counts += (aligned.ticks, aligned.filled, aligned.clipped)
        for name, values in aligned.ages_s.items():
            all_ages.setdefault(name, []).append(values)
    if writer is None:
        return
    report.alignment = {n: AlignmentError.of(np.concatenate(v)) for n, v in all_ages.items()}
    report.filled, report.clipped = (float(c) / max(1, counts[0]) for c in counts[1:])
    notes = writer.info.notes | {
        "alignment": {name: asdict(error) for name, error in report.alignment.items()},
        "problems": len(report.problems),
    }
    writer.describe(notes=notes, exploration_std=_exploration_std(np.concatenate(acted)))
    writer.close()


def _exploration_std(actions: np.ndarray) -> tuple[float, ...]:
    """Spread of the smoothed random policy whose actions vary as these do, ``[T,4]``; at most 1.

    The planner searches with a_t = beta eps_t + (1 - beta) a_(t-1), beta = 0.5 (MBOLD A.2, A.3),
    whose spread settles at std(eps) sqrt(beta / (2 - beta)) = std(eps) / sqrt(3). So it starts
    where the recordings are.
    """
    return tuple(np.minimum(1.0, np.sqrt(3.0) * actions.std(axis=0)).round(4).tolist())


def align(
    recording: Recording, profile: RobotProfile, source: ActionSource, shortest: int = 5
) -> Aligned:
    """Episodes at the control rate: at each tick the newest picture and state not later than it.

    Ticks sit on the actions (or targets, or pictures). The action of a tick without one is zero
    with the gripper as before: the arm holds. Where a picture, joint state or pose is older than
    the profile's limit the recording is cut in two.
    """
    pace = recording.image if recording.command is None else recording.command
    ticks = control_ticks(pace.times, profile.action.period_s)
    tracks = {"image": recording.image, "joints": recording.joints, "pose": recording.pose}
    limits = {"image": profile.image_timeout_s}
    if recording.truth is not None:
        tracks["truth"] = recording.truth
    index = {name: newest_before(t.times, ticks.times) for name, t in tracks.items()}
    age = {name: ages(t.times, ticks.times, index[name]) for name, t in tracks.items()}
    fresh = {n: age[n] <= limits.get(n, profile.pose_timeout_s) for n in tracks}
    usable = np.logical_and.reduce(list(fresh.values()))
    actions, clipped = _actions(recording, ticks, index["pose"], profile, source)
    episodes, ages_s = [], {tracks[n].topic: np.zeros(0) for n in tracks}
    pieces = unbroken(usable, max(2, shortest))
    for piece in pieces:
        action = actions[piece].copy()
        action[-1] = 0.0
        joints = recording.joints.values[index["joints"][piece]]
        pose = recording.pose.values[index["pose"][piece]]
        truth = None
        if recording.truth is not None:
            truth = recording.truth.values[index["truth"][piece]].astype(np.float32)
        episodes.append(
            Episode(
                image=recording.image.values[index["image"][piece]],
                action=action.astype(np.float32),
                state=np.concatenate([joints, pose], axis=1).astype(np.float32),
                truth=truth,
            )
        )
        for name, track in tracks.items():
            ages_s[track.topic] = np.append(ages_s[track.topic], age[name][piece])
    used = np.zeros(len(ticks), bool)
    for piece in pieces:
        used[piece] = True
    return Aligned(
        episodes,
        ages_s,
        filled=int((ticks.anchor[used] < 0).sum()),
        clipped=int(clipped[used].sum()),
        ticks=int(used.sum()),
        problems=_gaps(ticks, usable, used, fresh, tracks),
    )


def _gaps(
    ticks: Ticks,
    usable: np.ndarray,
    used: np.ndarray,
    fresh: dict[str, np.ndarray],
    tracks: dict[str, Track],
) -> list[str]:
    """One line for each stretch of ticks left out between the first and the last usable one."""
    inside = np.flatnonzero(usable)
    if len(inside) == 0:
        stale = ", ".join(tracks[n].topic for n in tracks if not fresh[n].any())
        return [f"no moment at which every topic is fresh; never fresh: {stale or 'all at once'}"]
    between = ~used
    between[: inside[0]] = between[inside[-1] + 1 :] = False
    lines = []
    for gap in unbroken(between, 1):
        stale = ", ".join(tracks[n].topic for n in tracks if not fresh[n][gap].all())
        reason = f"{stale} is stale" if stale else "the piece is too short"
        start = ticks.times[gap.start] / 1e9
        lines.append(f"{gap.stop - gap.start} steps left out from {start:.3f} s on: {reason}")
    return lines


def _actions(
    recording: Recording,
    ticks: Ticks,
    pose_index: np.ndarray,
    profile: RobotProfile,
    source: ActionSource,
) -> tuple[np.ndarray, np.ndarray]:
    """Actions ``float64 [T,4]`` in [-1, 1], and which of them had to be clipped, ``bool [T]``."""
    actions = np.zeros((len(ticks), 4))
    if len(ticks) == 0:
        return actions, np.zeros(0, bool)
    if source == "action":
        assert recording.command is not None
        own = ticks.anchor >= 0
        actions[own] = recording.command.values[ticks.anchor[own]]
        for k in np.flatnonzero(~own):  # the first tick always has its own
            actions[k, 3] = actions[k - 1, 3]
    else:
        pose = recording.pose.values[np.maximum(pose_index, 0)]
        if source == "target_pose":
            assert recording.command is not None
            newest = newest_before(recording.command.times, ticks.times)
            displacement = _inverted(recording.command.values[newest], pose, profile)
        else:
            displacement = np.append(np.diff(pose, axis=0), np.zeros((1, 3)), axis=0)
        actions[:, :3] = displacement / profile.action.translation_m
        actions[:, 3] = _gripper(recording, ticks, profile)
    # Rounding of what was exactly 1 is not worth reporting.
    clipped = np.asarray((np.abs(actions) > 1.0 + 1e-4).any(axis=1))
    return np.clip(actions, -1.0, 1.0), clipped


def _inverted(target: np.ndarray, pose: np.ndarray, profile: RobotProfile) -> np.ndarray:
    """The displacements ``[T,3]`` that ``next_target`` turned into these targets, metres."""
    previous = np.concatenate([pose[:1], target[:-1]])
    still = np.zeros(4)
    base = [next_target(p, m, still, profile) for p, m in zip(previous, pose, strict=True)]
    return target - np.asarray(base)


def _gripper(recording: Recording, ticks: Ticks, profile: RobotProfile) -> np.ndarray:
    """Gripper action ``[T]``: from the commanded opening, else from the opening one tick later.

    A profile lists the fingers after the seven arm joints; their travels add up to the opening.
    """
    if recording.gripper is not None:
        # Sent with the tick's target and without a stamp, so look a little beyond the tick.
        reach = ticks.times + round(0.5e9 * profile.action.period_s)
        index = newest_before(recording.gripper.times, reach)
        opening = recording.gripper.values[np.maximum(index, 0), 0]
    elif len(profile.joints) > 7:
        index = np.maximum(newest_before(recording.joints.times, ticks.times), 0)
        measured = np.abs(recording.joints.values[index][:, 7:]).sum(axis=1)
        opening = np.append(measured[1:], measured[-1:])
    else:
        return np.zeros(len(ticks))
    low, high = profile.action.gripper_m
    return np.clip(2.0 * (opening - low) / (high - low) - 1.0, -1.0, 1.0)


def _recorded_robot(paths: list[Path]) -> str:
    for path in paths:
        try:
            with open_bag(path) as bag:
                if bag.about.get("robot"):
                    return bag.about["robot"]
        except BagError:
            continue  # reported with its reason when the bag's turn comes
    raise BuildError("the bags do not say which robot they were recorded with; name its profile")


def _require_robot(path: Path, recorded: str, profile: RobotProfile) -> None:
    if recorded and load_profile(recorded).name != profile.name:
        raise BuildError(f"{path}: was recorded with robot {recorded}, not {profile.name}")
