"""The page's pictures, as PNG in data URIs."""

import base64
import io
from collections.abc import Sequence

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from latentplan_ros.evaluation.diagnosis.fixed_arm import FixedArm
from latentplan_ros.evaluation.diagnosis.imagination import Horizon


def maps(samples: Sequence[FixedArm], names: Sequence[str], columns: Sequence[int]) -> str:
    """Each goal picture, and beside it the distance over where the first object stands.

    In the plane where an object has two coordinates, else along its one.
    """
    figure, axes = plt.subplots(len(samples), 2, figsize=(8, 3 * len(samples)), squeeze=False)
    plane = len(columns) > 1
    for (left, right), sample in zip(axes, samples, strict=True):
        left.imshow(sample.picture)
        left.set_title("goal")
        left.axis("off")
        x = sample.truth[:, columns[0]]
        y = sample.truth[:, columns[1]] if plane else sample.distance
        if plane:
            points = right.scatter(x, y, c=sample.distance, cmap="viridis", s=30)
            figure.colorbar(points, ax=right, label="distance, time steps")
            right.plot(sample.goal[columns[0]], sample.goal[columns[1]], "r*", markersize=16)
            right.set_aspect("equal")
            right.set_ylabel(f"{names[columns[1]]}, m")
        else:
            right.plot(x, y, ".")
            right.axvline(sample.goal[columns[0]], color="red", linestyle="--")
            right.set_ylabel("distance, time steps")
        right.set_xlabel(f"{names[columns[0]]}, m")
        right.set_title(f"rank correlation with the true distance {sample.spearman:.2f}")
    return _uri(figure)


def curves(rows: Sequence[Horizon]) -> str:
    """How far objects moved and how far off they were imagined, over the horizon."""
    figure, axis = plt.subplots(figsize=(6, 3.5))
    steps = [row.steps for row in rows]
    axis.plot(steps, [row.moved_cm for row in rows], "o-", label="moved")
    axis.plot(steps, [row.error_cm for row in rows], "o-", label="imagined wrong by, moving")
    axis.plot(steps, [row.still_error_cm for row in rows], "o-", label="imagined wrong by, still")
    axis.set_xlabel("steps ahead")
    axis.set_ylabel("median, cm")
    axis.set_ylim(bottom=0)
    axis.legend()
    return _uri(figure)


def _uri(figure: Figure) -> str:
    stream = io.BytesIO()
    figure.tight_layout()
    figure.savefig(stream, format="png", dpi=90)
    plt.close(figure)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
