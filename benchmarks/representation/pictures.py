"""The page of pictures: what distractors look like, and what each representation finds alike."""

from pathlib import Path

import cv2
import numpy as np

from benchmarks.destination import ROOT, results_file

DISTRACTORS = "distractors"
_QUALITY = 70  # of JPEG: a hundred sheets are to stay under 3 MB

_INTRODUCTION = """# Pictures of representations

Made by `python -m benchmarks.representation`, which [representation.md](../representation.md)
explains. In a sheet of distractors each row is a held-out picture, and three of its episode with
everything drawn in. In the others each row is a held-out picture and those of other episodes that
a representation puts nearest, nearest first, one an episode: l2 between standardised latents.
"""


def folder(quick: bool) -> Path:
    """Of the sheets and the page."""
    return results_file("representation/x", True).parent if quick else ROOT / "docs/representation"


def save(picture: np.ndarray, name: str, quick: bool) -> None:
    """A sheet ``uint8 [H,W,3]`` as JPEG."""
    folder(quick).mkdir(parents=True, exist_ok=True)
    file = folder(quick) / f"{name}.jpg"
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(file), bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])


def write_page(quick: bool) -> Path:
    """pictures.md, with every sheet that there is: by task, distractors first."""
    sheets = sorted(folder(quick).glob("*.jpg"), key=_place)
    lines, task = [_INTRODUCTION], ""
    for sheet in sheets:
        of, _, entry = sheet.stem.partition(".")
        if of != task:
            lines += [f"## {of}", ""]
            task = of
        lines += [f"### {entry}", "", f"![{entry} on {of}]({sheet.name})", ""]
    page = folder(quick) / "pictures.md"
    page.write_text("\n".join(lines).rstrip() + "\n")
    return page


def _place(sheet: Path) -> tuple[str, bool, str]:
    task, _, entry = sheet.stem.partition(".")
    return task, entry != DISTRACTORS, entry
