import base64
import re
from pathlib import Path

import cv2
import numpy as np

from latentplan_ros.evaluation.film import frame
from latentplan_ros.evaluation.outcome import Outcome
from latentplan_ros.evaluation.report import write_report


def outcome(index: int, kind: str, final: float) -> Outcome:
    now, goal, imagined = (np.full((64, 64, 3), level, np.uint8) for level in (40, 120, 220))
    film = np.stack([frame(np.roll(now, i), goal, imagined) for i in range(5)])
    return Outcome(index, 1_000_000, kind, 0.05, [0.1, 0.09, 0.08, final], 30.0, film)


def test_the_report_needs_no_other_file_and_shows_every_try(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    outcomes = [outcome(0, "open", 0.01), outcome(1, "open", 0.09), outcome(2, "close", 0.02)]
    write_report(path, outcomes, "Drawer <demo>", "franka & friends")
    page = path.read_text()
    assert "Drawer &lt;demo&gt;" in page
    assert "franka &amp; friends" in page
    assert page.count('<article class="reached">') == 2
    assert page.count('<article class="missed">') == 1
    assert "1 of 2" in page
    assert "2 of 3" in page
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert "<!--" not in page


def test_a_film_in_the_report_is_the_film(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(path, [outcome(0, "open", 0.01)], "One")
    data = re.search(r'data-strip="data:image/jpeg;base64,([^"]+)"', path.read_text())
    assert data is not None
    strip = cv2.imdecode(np.frombuffer(base64.b64decode(data[1]), np.uint8), cv2.IMREAD_COLOR)
    assert strip.shape == (5 * 64, 3 * 64, 3)
    for column, level in ((32, 40), (96, 120), (160, 220)):
        assert abs(int(strip[32, column].mean()) - level) < 6


def test_a_try_without_film_or_plans_is_reported_too(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(path, [Outcome(0, 1_000_000, "open", 0.05, [0.1, 0.2])], "Random")
    page = path.read_text()
    assert "<canvas class" not in page
    assert "no plans" in page
