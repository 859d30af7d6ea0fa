"""StreetLearn as published, to sequences: Plan2vec's section 5.3 and Table 3.

Reads one folder of the 2019 release of panoramas as files (``jpegs_manhattan_2019``,
``jpegs_pittsburgh_2019``; Touchdown's newer ones are laid out alike), with no header in either
table and commas between columns:

- ``nodes.txt``: panorama, yaw, latitude, longitude; degrees. Yaw is the compass direction that the
  middle column of the picture shows, clockwise from north.
- ``links.txt``: panorama, compass direction, panorama that a car drives to from there.
- ``PANORAMA.jpg``: all around, equirectangular.

The older release as LevelDB of protocol buffers is not read.
"""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from latentplan_ros.data.drives import first_seen
from latentplan_ros.data.images import ImageError, load
from latentplan_ros.data.preprocess import Preprocess
from latentplan_ros.data.sequences import SIZE, Sequences

_METRES_A_DEGREE = math.radians(6_371_009)  # of latitude; times the cosine of it, of longitude
_SPACING_M = 10.0  # between panoramas, about
_CLOSEST_M = 1.0  # GPS tells no finer, and a step must have a length


class StreetLearnError(ValueError):
    """A folder that no town can be read from; the message says which file and line, and why."""


@dataclass(frozen=True)
class _Node:
    yaw: float
    latitude: float
    longitude: float


def read_streetlearn(
    folder: Path, bounds: tuple[float, float, float, float] | None = None
) -> Sequences:
    """Panoramas of ``folder`` within bounds that a link touches, facing north, as gray pictures.

    bounds: south and west edge, height and width, in degrees, as in Table 3; None: all of it. A
    step is a link, its length the ground distance in units of 10 m. truth: metres east and north
    of the south-west corner of the bounds, or else of the panoramas. The release does not say what
    was driven when: sequence is that of random drives which together drive every link.

    Raises StreetLearnError where a line is not as above, a link leads from within bounds to an
    unknown panorama, a picture cannot be read, or no two panoramas are linked.
    """
    folder = Path(folder)
    nodes = _read_nodes(folder / "nodes.txt")
    inside = {name for name, node in nodes.items() if bounds is None or _within(node, bounds)}
    links = _read_links(folder / "links.txt", nodes.keys(), inside)
    names = sorted({name for link in links for name in link})
    if not names:
        where = "" if bounds is None else f", {len(inside)} of them within {bounds}"
        raise StreetLearnError(
            f"{folder}: no two panoramas are linked, out of {len(nodes)}{where}; bounds are south "
            "and west edge, height and width, in degrees"
        )
    number = {name: at for at, name in enumerate(names)}
    steps = np.array([(number[start], number[end]) for start, end in links])
    truth = _metres([nodes[name] for name in names], None if bounds is None else bounds[:2])
    apart = np.linalg.norm(truth[steps[:, 1]] - truth[steps[:, 0]], axis=1)
    return Sequences(
        np.stack([_facing_north(folder / f"{name}.jpg", nodes[name].yaw) for name in names]),
        steps,
        np.maximum(apart, _CLOSEST_M) / _SPACING_M,
        first_seen(steps, len(names), np.random.default_rng(0)),
        truth,
    )


def _read_nodes(path: Path) -> dict[str, _Node]:
    nodes: dict[str, _Node] = {}
    for where, (name, *numbers) in _rows(path, "panorama,yaw,latitude,longitude"):
        try:
            yaw, latitude, longitude = map(float, numbers)
        except ValueError:
            raise StreetLearnError(f"{where}: not three numbers: {','.join(numbers)}") from None
        if not (math.isfinite(yaw) and abs(latitude) < 90 and abs(longitude) <= 180):
            raise StreetLearnError(
                f"{where}: yaw, latitude, longitude cannot be {', '.join(numbers)} degrees"
            )
        # A name is part of a file's name: one that leads out of the folder is none.
        if not name or "/" in name or "\\" in name:
            raise StreetLearnError(f"{where}: {name!r} is not the name of a panorama")
        if name in nodes:
            raise StreetLearnError(f"{where}: panorama {name} is listed twice")
        nodes[name] = _Node(yaw, latitude, longitude)
    return nodes


def _read_links(path: Path, known: Collection[str], inside: set[str]) -> list[tuple[str, str]]:
    """Links between panoramas inside, each once."""
    links: dict[tuple[str, str], None] = {}
    for where, (start, _, end) in _rows(path, "panorama,direction,panorama"):
        if start == end:
            raise StreetLearnError(f"{where}: links panorama {start} with itself")
        if start in inside and end in inside:
            links[start, end] = None
            continue
        # Beyond the bounds a link may lead anywhere; from within them it may not lead nowhere.
        unknown = [name for name in (start, end) if name not in known]
        if unknown and (len(inside) == len(known) or start in inside or end in inside):
            raise StreetLearnError(
                f"{where}: panorama {unknown[0]} is not in nodes.txt; both files must be of one "
                "release, and whole"
            )
    return list(links)


def _rows(path: Path, columns: str) -> Iterator[tuple[str, list[str]]]:
    """Each line that is not empty: where it is, and what stands in its columns."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise StreetLearnError(
            f"{path} cannot be read: {reason}; give the folder of a release, with nodes.txt, "
            "links.txt and the panoramas"
        ) from None
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in line.split(",")]
        if not line.strip():
            continue
        if len(cells) != columns.count(",") + 1:
            raise StreetLearnError(f"{path}, line {number}: expected {columns}, got {line[:80]!r}")
        yield f"{path}, line {number}", cells


def _within(node: _Node, bounds: tuple[float, float, float, float]) -> bool:
    south, west, height, width = bounds
    return 0 <= node.latitude - south <= height and 0 <= node.longitude - west <= width


def _metres(nodes: list[_Node], corner: tuple[float, float] | None) -> np.ndarray:
    """East and north of the corner (latitude, longitude), ``float64 [N,2]``.

    A degree of longitude is as long as at the middle of the town, which in a town of 10 km is true
    to 1 in 1000.
    """
    degrees = np.array([(node.longitude, node.latitude) for node in nodes])
    start = degrees.min(0) if corner is None else np.array([corner[1], corner[0]])
    shrink = math.cos(math.radians(float(degrees[:, 1].mean())))
    return (degrees - start) * _METRES_A_DEGREE * np.array([shrink, 1.0])


def _facing_north(path: Path, yaw: float) -> np.ndarray:
    """The half of a panorama around north, ``uint8 [64,64]``, gray."""
    try:
        panorama = load(path)
    except ImageError as error:
        raise StreetLearnError(str(error)) from None
    turned = np.roll(panorama, round(yaw / 360 * panorama.shape[1]), axis=1)
    return cv2.cvtColor(Preprocess(SIZE).apply(turned), cv2.COLOR_RGB2GRAY)
