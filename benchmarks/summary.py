"""Folds every results file into ``benchmarks/summary.json`` and into the documents' tables."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tyro

from benchmarks.destination import RESULTS, ROOT
from benchmarks.representation.table import tables

BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
README = "README.md"
Table = Callable[[dict[str, dict[str, Any]]], str]
# Where figures that begin so are shown; all others in README.
DOCUMENTS = {
    "docs/plan2vec.md": "plan2vec/",
    "docs/representation.md": "probe_cm/",
    "docs/dmc.md": "dmc/",
}
# How, where one row a figure would not do.
TABLES: dict[str, Table] = {"docs/representation.md": tables}


class SummaryError(ValueError):
    """A results file is unreadable, or two files claim the same figure."""


def summarize(results: Path = RESULTS, root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """The flat summary of all results files below a folder, sorted by name."""
    summary: dict[str, dict[str, Any]] = {}
    for path in sorted(results.rglob("*.json")):
        file = path.relative_to(root).as_posix()
        try:
            document = json.loads(path.read_text())
            command, figures = document["command"], document["figures"]
            known = {name: {**figure} for name, figure in figures.items()}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise SummaryError(f"{file} is no results file: {error!r}") from None
        for name, figure in known.items():
            if name in summary:
                raise SummaryError(f"{name} is in {summary[name]['file']} and in {file}")
            summary[name] = {**figure, "file": file, "command": command}
    return dict(sorted(summary.items()))


def table(summary: dict[str, dict[str, Any]]) -> str:
    """The figures as Markdown, one row each."""
    if not summary:
        return "Nothing has been measured yet."
    rows = ["| figure | value | 95 % interval | n | remade by |", "|---|---|---|---|---|"]
    for name, figure in summary.items():
        interval = "" if figure["low"] is None else f"{figure['low']:.3g} to {figure['high']:.3g}"
        value = f"{figure['value']:.3g} {figure['unit']}".rstrip()
        rows.append(f"| `{name}` | {value} | {interval} | {figure['n']} | `{figure['command']}` |")
    return "\n".join(rows)


def shown_in(document: str, summary: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The figures that belong into README or one of DOCUMENTS."""
    elsewhere = tuple(DOCUMENTS.values())
    if document == README:
        return {name: f for name, f in summary.items() if not name.startswith(elsewhere)}
    return {name: f for name, f in summary.items() if name.startswith(DOCUMENTS[document])}


def with_table(text: str, summary: dict[str, dict[str, Any]], as_table: Table = table) -> str:
    """A document with the table between its two marks. Raises SummaryError without the marks."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise SummaryError(f"a document with figures needs the marks {BEGIN} and {END}, once each")
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{as_table(summary)}\n{END}{rest.split(END)[1]}"


def main() -> None:
    """Writes benchmarks/summary.json and the documents' tables, and prints the figures."""
    summary = summarize()
    (ROOT / "benchmarks" / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    for document in (README, *DOCUMENTS):
        path = ROOT / document
        shown, as_table = shown_in(document, summary), TABLES.get(document, table)
        path.write_text(with_table(path.read_text(), shown, as_table))
    for name, figure in summary.items():
        interval = ""
        if figure["low"] is not None:
            interval = f"  [{figure['low']:.3g}, {figure['high']:.3g}]"
        print(f"{name:48} {figure['value']:10.4g} {figure['unit']}{interval}  n={figure['n']}")


if __name__ == "__main__":
    tyro.cli(main)
