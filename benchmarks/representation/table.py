"""The comparison as Markdown: a table a task, best first."""

from typing import Any

TITLES = {
    "": "object",
    "_linear": "object, linear",
    "_arm": "arm",
    "_arm_linear": "arm, linear",
    "_distractors": "object, distractors",
    "_distractors_arm": "arm, distractors",
}
Summary = dict[str, dict[str, Any]]


def tables(summary: Summary) -> str:
    """Figures named probe_cm/<entry>/<task>[<ending>], in centimetres with 95 % intervals."""
    if not summary:
        return "Nothing has been measured yet."
    by_task: dict[str, dict[str, Summary]] = {}
    for name, figure in summary.items():
        _, entry, measured = name.split("/")
        ending = max((e for e in TITLES if measured.endswith(e)), key=len)
        task = measured.removesuffix(ending)
        by_task.setdefault(task, {}).setdefault(entry, {})[ending] = figure
    return "\n\n".join(_table(task, entries) for task, entries in sorted(by_task.items()))


def _table(task: str, entries: dict[str, Summary]) -> str:
    ordered = sorted(entries.items(), key=lambda item: item[1][""]["value"])
    commands = sorted({f["command"] for figures in entries.values() for f in figures.values()})
    rows = [
        f"### {task}",
        "",
        "| objective | " + " | ".join(TITLES.values()) + " |",
        "|---" * (1 + len(TITLES)) + "|",
    ]
    for entry, figures in ordered:
        cells = [_cell(figures[ending]) for ending in TITLES]
        rows.append(f"| `{entry}` | " + " | ".join(cells) + " |")
    episodes = min(figures[""]["n"] for _, figures in ordered)
    remade = ", ".join(f"`{command}`" for command in commands)
    return "\n".join([*rows, "", f"{episodes} held-out episodes. Remade by {remade}."])


def _cell(figure: dict[str, Any]) -> str:
    return f"{figure['value']:.2f} ({figure['low']:.2f} to {figure['high']:.2f})"
