"""One HTML page from a diagnosis."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path

_TEMPLATE = Path(__file__).with_name("page.html")


def write_page(path: Path, parts: Mapping[str, str]) -> None:
    """Fills the template's marks; values are HTML. Overwrites the file, whole or not at all."""
    page = _TEMPLATE.read_text()
    for name, text in parts.items():
        page = page.replace(f"<!--{name}-->", text)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(page)
    partial.replace(path)


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """An HTML table; every cell is escaped, numbers with two digits after the point."""
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_text(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _text(cell: object) -> str:
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)
