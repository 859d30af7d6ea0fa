"""Draws docs/demo.png, the picture at the top of README, from the report that `make demo` wrote."""

import base64
import re
from pathlib import Path

import cv2
import numpy as np

SIZE, GAP, HEAD = 128, 8, 22
TRIES = (2, 6, 0)
COLUMNS = ("goal", "start", "0.6 s", "1.4 s", "5 s", "imagined at 0.6 s")
ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    report = (ROOT / "runs/demo/report.html").read_text()
    strips = re.findall(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)", report)
    rows = [_heads()] + [_row(_film(strips[index])) for index in TRIES]
    cv2.imwrite(str(ROOT / "docs/demo.png"), np.concatenate(rows))


def _film(strip: str) -> np.ndarray:
    tall = cv2.imdecode(np.frombuffer(base64.b64decode(strip), np.uint8), cv2.IMREAD_COLOR)
    return tall.reshape(-1, SIZE, 3, SIZE, 3).transpose(0, 2, 1, 3, 4)  # [T, panel, S, S, BGR]


def _row(film: np.ndarray) -> np.ndarray:
    gap = np.full((SIZE, GAP, 3), 255, np.uint8)
    tried = [film[step, 0] for step in (0, 6, 14, -1)]
    return np.concatenate([film[0, 1], gap, *tried, gap, film[6, 2]], axis=1)


def _heads() -> np.ndarray:
    head = np.full((HEAD, len(COLUMNS) * SIZE + 2 * GAP, 3), 255, np.uint8)
    for number, text in enumerate(COLUMNS):
        left = number * SIZE + GAP * ((number > 0) + (number == len(COLUMNS) - 1))
        place = (left + 3, 15)
        cv2.putText(head, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (60, 60, 60), 1, cv2.LINE_AA)
    return head


if __name__ == "__main__":
    main()
