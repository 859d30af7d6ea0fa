"""The page's figures and pictures, as PNG in data URIs."""

import base64
import io
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure

# Red, green, blue in the four corners of the plane: south-west, south-east, north-west, north-east.
_CORNERS = np.array([[40, 70, 170], [240, 180, 50], [20, 160, 130], [205, 50, 90]]) / 255.0
_HOLE, _LOST = "#c1121f", "#c9ced6"


def plane(values: np.ndarray) -> tuple[np.ndarray, float]:
    """Two numbers a row of ``[N,K]``, and the share of the variance that they keep.

    The principal components where there are more than two, 0 for what is missing.
    """
    if values.shape[1] <= 2:
        return np.pad(values, ((0, 0), (0, 2 - values.shape[1]))), 1.0
    centred = values - values.mean(0)
    spread, ways = np.linalg.eigh(centred.T @ centred)
    return centred @ ways[:, :-3:-1], float(spread[-2:].sum() / max(spread.sum(), 1e-12))


def colours(places: np.ndarray) -> np.ndarray:
    """A colour of its own for each place in the plane, ``[N,2]`` to ``[N,3]``."""
    low, high = places.min(0), places.max(0)
    x, y = ((places - low) / np.maximum(high - low, 1e-12)).T[..., None]
    south = (1 - x) * _CORNERS[0] + x * _CORNERS[1]
    north = (1 - x) * _CORNERS[2] + x * _CORNERS[3]
    return np.asarray((1 - y) * south + y * north)


def maps(places: np.ndarray | None, points: np.ndarray, holes: Sequence[tuple[int, int]]) -> str:
    """The truth of each picture ``[N,2]``, or None, beside the map's points ``[N,2]``.

    The same picture has the same colour in both. holes: edges that are drawn on the former.
    """
    if places is None:
        figure, (axis,) = _panels(1)
        seen = _dots(axis, points, c=np.arange(len(points)), cmap="viridis")
        figure.colorbar(seen, ax=axis, label="number of the picture")
    else:
        figure, (left, axis) = _panels(2)
        _dots(left, places, c=colours(places))
        left.add_collection(
            LineCollection(places[np.array(holes, int).reshape(-1, 2)], colors=_HOLE)
        )
        left.set_title("the truth")
        _dots(axis, points, c=colours(places))
    axis.set_title("where the map puts it (steps)")
    return _uri(figure)


def value_maps(
    places: np.ndarray, learned: np.ndarray, shortest: np.ndarray, path: Sequence[int]
) -> str:
    """Steps to a goal by the map and by the graph, each ``[N]``, over places ``[N,2]``.

    path: a plan that ends at the goal; inf: no path leads there.
    """
    figure, axes = _panels(2)
    known = np.isfinite(shortest)
    most = float(max(learned.max(), shortest[known].max()))
    for axis, values, title in zip(
        axes, (learned, shortest), ("by the learned metric", "by the graph"), strict=True
    ):
        seen = _dots(
            axis,
            places,
            c=np.where(np.isfinite(values), values, np.nan),
            plotnonfinite=True,
            cmap=colormaps["viridis_r"].with_extremes(bad=_LOST),
            vmin=0.0,
            vmax=most,
        )
        axis.plot(*places[list(path)].T, color="black", linewidth=1.2, alpha=0.7)
        axis.plot(*places[path[-1]], "*", color=_HOLE, markersize=16, markeredgecolor="white")
        axis.set_title(title)
    figure.colorbar(seen, ax=axes, label="steps to the goal")
    return _uri(figure)


def histogram(near: np.ndarray, far: np.ndarray, threshold: float) -> str:
    """Local distances of recorded neighbours and of random pairs."""
    figure = Figure(figsize=(8, 3), layout="constrained")
    axis = figure.subplots()
    bins = np.linspace(0.0, float(np.quantile(np.concatenate([near, far]), 0.995)), 80)
    for values, label, colour in (
        (near, "recorded neighbours", "#1c7c54"),
        (far, "random pairs", "#8d99ae"),
    ):
        shares = np.full(len(values), 1.0 / len(values))
        axis.hist(values, bins.tolist(), weights=shares, label=label, color=colour, alpha=0.75)
    axis.axvline(threshold, color=_HOLE, linestyle="--", label=f"threshold {threshold:.2f}")
    axis.set_xlabel("local metric (1: a step)")
    axis.set_ylabel("share of pairs")
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False)
    return _uri(figure)


def picture(gray: np.ndarray) -> str:
    """``uint8 [64,64]``."""
    return _png(cv2.imencode(".png", gray)[1].tobytes())


def _panels(count: int) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(5.2 * count + 0.6, 5), layout="constrained")
    axes = list(np.ravel(figure.subplots(1, count)))
    for axis in axes:
        axis.set_aspect("equal", adjustable="datalim")
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
    return figure, axes


def _dots(axis: Axes, places: np.ndarray, **look: Any) -> PathCollection:
    """Large where they are few, and small where many would cover each other."""
    x, y = places.T
    size = float(np.clip(30_000 / len(places), 3.0, 40.0))
    return axis.scatter(x, y, s=size, linewidths=0, **look)


def _uri(figure: Figure) -> str:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110)
    return _png(stream.getvalue())


def _png(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()
