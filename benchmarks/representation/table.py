"""The comparison as Markdown: a table a task, best first."""

from typing import Any

# Ending of a figure's name: its column, and what it measures (probe, place, pictures).
MEASURED = {
    "": ("object", "nonlinear", "object", "clean"),
    "_linear": ("object, linear", "linear", "object", "clean"),
    "_arm": ("arm", "nonlinear", "arm", "clean"),
    "_arm_linear": ("arm, linear", "linear", "arm", "clean"),
    "_distractors": ("object, distractors", "nonlinear", "object", "distractors"),
    "_distractors_arm": ("arm, distractors", "nonlinear", "arm", "distractors"),
}
Summary = dict[str, dict[str, Any]]


def tables(summary: Summary) -> str:
    """Figures named probe_cm/<entry>/<task>[<ending>], in centimetres with 95 % intervals."""
    if not summary:
        return "Nothing has been measured yet."
    by_task: dict[str, dict[str, Summary]] = {}
    for name, figure in summary.items():
        _, entry, measured = name.split("/")
        ending = max((e for e in MEASURED if measured.endswith(e)), key=len)
        task = measured.removesuffix(ending)
        by_task.setdefault(task, {}).setdefault(entry, {})[ending] = figure
    return "\n\n".join(_table(task, entries) for task, entries in sorted(by_task.items()))


def _table(task: str, entries: dict[str, Summary]) -> str:
    ordered = sorted(entries.items(), key=lambda item: item[1][""]["value"])
    commands = sorted({f["command"] for figures in entries.values() for f in figures.values()})
    rows = [
        f"### {task}",
        "",
        "| objective | " + " | ".join(title for title, *_ in MEASURED.values()) + " |",
        "|---" * (1 + len(MEASURED)) + "|",
    ]
    for entry, figures in ordered:
        cells = [_cell(figures[ending]) for ending in MEASURED]
        rows.append(f"| `{entry}` | " + " | ".join(cells) + " |")
    episodes = min(figures[""]["n"] for _, figures in ordered)
    remade = ", ".join(f"`{command}`" for command in commands)
    return "\n".join([*rows, "", f"{episodes} held-out episodes. Remade by {remade}."])


def _cell(figure: dict[str, Any]) -> str:
    return f"{figure['value']:.2f} ({figure['low']:.2f} to {figure['high']:.2f})"
