"""The HTML report: what happened in every try, in one file that needs nothing else."""

import html
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from latentplan_ros.evaluation.film import strip
from latentplan_ros.evaluation.outcome import Outcome
from latentplan_ros.evaluation.statistics import wilson

_TEMPLATE = Path(__file__).with_name("report.html")


def write_report(path: Path, outcomes: Sequence[Outcome], title: str, note: str = "") -> None:
    """A table by kind of goal, then each try with its film (now | goal | imagined) and its error.

    Overwrites the file, whole or not at all. note: one line of plain text under the title.
    """
    page = _TEMPLATE.read_text()
    parts = {
        "TITLE": html.escape(title),
        "NOTE": html.escape(note),
        "ROWS": "\n".join(_row(kind, group) for kind, group in _groups(outcomes)),
        "TRIES": "\n".join(_card(number, outcome) for number, outcome in enumerate(outcomes, 1)),
    }
    for name, text in parts.items():
        page = page.replace(f"<!--{name}-->", text)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(page)
    partial.replace(path)


def _groups(outcomes: Sequence[Outcome]) -> list[tuple[str, list[Outcome]]]:
    kinds = list(dict.fromkeys(outcome.kind for outcome in outcomes))
    groups = [(kind, [o for o in outcomes if o.kind == kind]) for kind in kinds]
    return groups if len(groups) == 1 else [*groups, ("all", list(outcomes))]


def _row(kind: str, outcomes: Sequence[Outcome]) -> str:
    reached = sum(outcome.success for outcome in outcomes)
    low, high = wilson(reached, len(outcomes))
    errors = [outcome.final_error_m * 100 for outcome in outcomes]
    times = [outcome.plan_ms for outcome in outcomes if outcome.plan_ms is not None]
    cells = [
        html.escape(kind),
        f"{reached} of {len(outcomes)}",
        f"{low:.0%} to {high:.0%}",
        f"{np.median(errors):.1f} cm",
        f"{np.median(times):.0f} ms" if times else "no plans",
    ]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _card(number: int, outcome: Outcome) -> str:
    verdict = "reached" if outcome.success else "missed"
    labels = ""
    player = ""
    if outcome.film is not None:
        count, height, width = outcome.film.shape[:3]
        names = ("now", "goal", "imagined")[: width // height]
        labels = (
            '<div class="labels">' + "".join(f"<span>{name}</span>" for name in names) + "</div>"
        )
        player = (
            f'<canvas class="film" width="{width}" height="{height}" data-frames="{count}" '
            f'data-strip="{strip(outcome.film)}"></canvas>'
            f'<input type="range" min="0" max="{count - 1}" value="0" aria-label="frame">'
        )
    time = "" if outcome.plan_ms is None else f" &middot; {outcome.plan_ms:.0f} ms a plan"
    return (
        f'<article class="{verdict}"><header><b>{number}. {html.escape(outcome.kind)}</b>'
        f'<span class="verdict">{verdict}</span></header>{labels}{player}{_curve(outcome)}'
        f"<p>{outcome.start_error_m * 100:.1f} cm from the goal at the start, "
        f"{outcome.final_error_m * 100:.1f} cm at the end{time} "
        f"&middot; goal {outcome.seed}/{outcome.index}</p></article>"
    )


def _curve(outcome: Outcome) -> str:
    """The error over the steps, with the threshold as a dashed line."""
    errors = outcome.errors_m
    top = max(*errors, outcome.threshold_m * 1.5)
    x = 300 / max(1, len(errors) - 1)
    points = " ".join(f"{i * x:.1f},{58 - 54 * error / top:.1f}" for i, error in enumerate(errors))
    limit = 58 - 54 * outcome.threshold_m / top
    return (
        '<svg viewBox="0 0 300 60" role="img" aria-label="distance to the goal over the steps">'
        f'<line x1="0" x2="300" y1="{limit:.1f}" y2="{limit:.1f}" class="limit"/>'
        f'<polyline points="{points}"/></svg>'
    )
