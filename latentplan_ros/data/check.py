"""Finds what is wrong with recordings and datasets: ``latentplan dataset check PATH``."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from latentplan_ros.data.bag_writer import BagError
from latentplan_ros.data.bags import Bag, UnknownMessageType, find_bags, open_bag
from latentplan_ros.data.dataset import Dataset, DatasetError, EpisodeOrderError, is_dataset
from latentplan_ros.data.images import ImageError, decode
from latentplan_ros.data.recording import Topics

Kind = Literal["missing", "torn", "stale", "duplicated", "out-of-order", "non-finite"]
GAP_S = 0.5  # without a message on a topic that otherwise comes often
STUCK_FRAMES = 10  # identical pictures in a row, while the arm moves
STUCK_M = 0.02


@dataclass(frozen=True)
class Finding:
    """One thing wrong: in which file, on which topic (or array), at what time, and how often."""

    kind: Kind
    file: Path
    topic: str
    time_s: float
    detail: str
    count: int = 1

    def __str__(self) -> str:
        often = f" ({self.count} times)" if self.count > 1 else ""
        return (
            f"{self.file}: {self.topic} at {self.time_s:.3f} s: {self.kind}: {self.detail}{often}"
        )


def check(path: Path, topics: Topics | None = None) -> list[Finding]:
    """Check a dataset, a bag, or a folder of bags; an empty list is a clean bill.

    Findings of one kind on one topic are told once, with the first time and their number. Raises
    BagError when the path is none of them.
    """
    path = Path(path)
    if not path.exists():
        raise BagError(f"{path}: no such dataset or bag")
    if is_dataset(path):
        return _merged(_check_dataset(path))
    return _merged(
        finding for bag in find_bags([path]) for finding in _check_bag(bag, topics or Topics())
    )


def _merged(findings: Iterator[Finding]) -> list[Finding]:
    first: dict[tuple[Any, ...], list[Finding]] = {}
    for finding in findings:
        first.setdefault((finding.kind, finding.file, finding.topic), []).append(finding)
    return [
        Finding(f[0].kind, f[0].file, f[0].topic, f[0].time_s, f[0].detail, len(f))
        for f in first.values()
    ]


# Bags ---------------------------------------------------------------------------------------
def _check_bag(path: Path, topics: Topics) -> Iterator[Finding]:
    try:
        with open_bag(path) as bag:
            if bag.cut:
                detail = "cut short: no footer or metadata.yaml; its whole messages are read"
                yield Finding("torn", path, "bag", 0.0, detail)
            for name in (topics.image, topics.joint_states, topics.current_pose):
                if not _has(bag, name) and not (
                    name == topics.image and _has(bag, f"{name}/compressed")
                ):
                    yield Finding("missing", path, name, 0.0, "no such topic in the bag")
            states = {topic: _TopicState() for topic in bag.topics}
            for message in bag.messages():
                yield from states[message.topic].look(bag, message)
            end = max((s.received for s in states.values()), default=0)
            for topic, state in states.items():
                yield from state.end(path, topic, end)
    except BagError as error:
        yield Finding("torn", path, "bag", 0.0, str(error))


def _has(bag: Bag, name: str) -> bool:
    try:
        return bool(bag.counts.get(bag.find(name)))
    except BagError:
        return False


class _TopicState:
    """What has been seen on one topic."""

    def __init__(self) -> None:
        self.stamp = self.received = 0
        self.data = b""
        self.intervals: list[float] = []

    def look(self, bag: Bag, raw: Any) -> Iterator[Finding]:
        def found(kind: Kind, detail: str) -> Finding:
            return Finding(kind, bag.path, raw.topic, raw.received_ns / 1e9, detail)

        gap = (raw.received_ns - self.received) / 1e9
        if self.received:
            usual = float(np.median(self.intervals[-50:])) if len(self.intervals) >= 5 else np.inf
            if usual < GAP_S / 3 < GAP_S < gap:
                yield found("stale", f"nothing for {gap:.2f} s on a topic of {1 / usual:.0f} Hz")
            else:
                self.intervals.append(max(gap, 1e-6))
        self.received = raw.received_ns
        try:
            message = bag.decode(raw)
            if raw.msgtype in ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"):
                decode(message, raw.topic)
        except UnknownMessageType:
            return  # kept as it is, but nothing can be said of it
        except (BagError, ImageError) as error:
            yield found("torn", str(error))
            return
        bad = _non_finite(message)
        if bad:
            yield found("non-finite", bad)
        header = getattr(message, "header", None)
        stamp = 0 if header is None else header.stamp.sec * 1_000_000_000 + header.stamp.nanosec
        if stamp and stamp == self.stamp:
            same = "the same message" if raw.data == self.data else "another message"
            yield found("duplicated", f"stamp {stamp / 1e9:.3f} s again, with {same}")
        elif stamp and stamp < self.stamp:
            yield found("out-of-order", f"stamp {stamp / 1e9:.3f} s after {self.stamp / 1e9:.3f} s")
        self.stamp, self.data = max(stamp, self.stamp), raw.data

    def end(self, path: Path, topic: str, end: int) -> Iterator[Finding]:
        usual = float(np.median(self.intervals)) if len(self.intervals) >= 5 else np.inf
        silent = (end - self.received) / 1e9
        if usual < GAP_S / 3 and silent > 2 * GAP_S:
            detail = f"nothing for the last {silent:.2f} s on a topic of {1 / usual:.0f} Hz"
            yield Finding("stale", path, topic, self.received / 1e9, detail)


def _non_finite(message: Any) -> str:
    """Which number is not finite, of those that data is made of; velocities may be unknown."""
    if hasattr(message, "position") and hasattr(message, "name"):
        for name, value in zip(message.name, message.position, strict=False):
            if not np.isfinite(value):
                return f"position of {name} is {value}"
    if hasattr(message, "axes") and not np.isfinite(message.axes).all():
        return f"axes are {np.asarray(message.axes).tolist()}"
    point = getattr(getattr(message, "pose", None), "position", None)
    if point is not None and not np.isfinite([point.x, point.y, point.z]).all():
        return f"position is {[point.x, point.y, point.z]}"
    return ""


# Datasets -----------------------------------------------------------------------------------
def _check_dataset(path: Path) -> Iterator[Finding]:
    try:
        dataset = Dataset.open(path)
    except DatasetError as error:
        kind: Kind = "out-of-order" if isinstance(error, EpisodeOrderError) else "torn"
        yield Finding(kind, path, error.array or "dataset", 0.0, str(error))
        return
    period = dataset.info.action_space.period_s
    seen: dict[bytes, int] = {}
    spans = zip(dataset.episode_starts, dataset.episode_ends, strict=True)
    for index, (start, stop) in enumerate(spans):
        rows = np.arange(start, stop)
        yield from _check_numbers(dataset, index, rows, period)
        images = dataset.images(rows)
        key = hashlib.sha256(images.tobytes() + dataset.action[rows].tobytes()).digest()
        if key in seen:
            detail = f"episode {index} is the same as episode {seen[key]}"
            yield Finding("duplicated", path, "data/image", 0.0, detail)
        seen[key] = index
        yield from _check_stuck(dataset, index, rows, images, period)
        blank = np.flatnonzero(images.reshape(len(rows), -1).max(axis=1) == 0)
        if len(blank):
            detail = f"episode {index}, step {blank[0]}: the picture is all black"
            yield Finding("torn", path, "data/image", float(blank[0]) * period, detail)


def _check_numbers(
    dataset: Dataset, index: int, rows: np.ndarray, period: float
) -> Iterator[Finding]:
    arrays = {"data/action": dataset.action, "data/state": dataset.state}
    if dataset.truth is not None:
        arrays["data/truth"] = dataset.truth
    for name, array in arrays.items():
        bad = np.flatnonzero(~np.isfinite(array[rows]).all(axis=1))
        if len(bad):
            detail = f"episode {index}, step {bad[0]}: {array[rows[bad[0]]].tolist()}"
            yield Finding("non-finite", dataset.path, name, float(bad[0]) * period, detail)


def _check_stuck(
    dataset: Dataset, index: int, rows: np.ndarray, images: np.ndarray, period: float
) -> Iterator[Finding]:
    """Pictures that stand still while the end effector moves: a camera that hung."""
    if len(rows) <= STUCK_FRAMES:
        return
    tcp = dataset.state[rows, -3:]
    same = (images[1:] == images[:-1]).all(axis=(1, 2, 3))
    run = 0
    for step, still in enumerate(same, 1):
        run = run + 1 if still else 0
        moved = float(np.linalg.norm(tcp[step] - tcp[step - run]))
        if run == STUCK_FRAMES and moved > STUCK_M:
            detail = (
                f"episode {index}, step {step}: {run} identical pictures while the arm "
                f"moved {100 * moved:.1f} cm"
            )
            yield Finding("stale", dataset.path, "data/image", step * period, detail)
