"""Made-up towns in place of Plan2vec's StreetLearn (section 5.3): Manhattan with one Broadway.

Views are about 10 m apart along two-way streets; a crossing is one place with one picture. The
numbers of views are the paper's (Table 3), and one town is ten times as large as its largest.
"""

import numpy as np

from latentplan_ros.data.drives import first_seen
from latentplan_ros.data.sequences import Sequences
from latentplan_ros.sim.worlds.street_plan import SPACING_M, StreetPlan, nearest_part
from latentplan_ros.sim.worlds.street_views import render

TOWNS = {"tiny": 53, "small": 255, "medium": 501, "large": 1495, "huge": 14_950}  # views


class TownError(ValueError):
    """A town that there is not; the message names those that there are."""


def town(name: str, seed: int) -> Sequences:
    """What drives through every street of a town have recorded, in both directions.

    The same every time for a name and a seed. A step is listed once, however often it was driven,
    with the ground distance in units of 10 m as its length. sequence: the drive, of 50 to 100
    views, that first came by; views are in the order in which drives came by first. truth: metres
    east and north of the town's middle. Raises TownError where there is no town of that name.
    """
    if name not in TOWNS:
        raise TownError(f"there is no town {name!r}: choose one of {', '.join(TOWNS)}")
    rng = np.random.default_rng([seed, TOWNS[name]])
    plan = StreetPlan.draw(TOWNS[name], rng)
    places, pairs = plan.places()
    part = nearest_part(places, pairs, TOWNS[name])
    number = np.full(len(places), -1)
    number[part] = np.arange(len(part))
    pairs = number[pairs]
    pairs = pairs[(pairs >= 0).all(1)]
    steps = np.concatenate([pairs, pairs[:, ::-1]])
    drive = first_seen(steps, len(part), rng)
    order = np.argsort(drive, kind="stable")
    steps = np.argsort(order)[steps]
    truth = places[part[order]]
    return Sequences(
        render(plan, truth, int(rng.integers(2**32))),
        steps,
        np.linalg.norm(truth[steps[:, 1]] - truth[steps[:, 0]], axis=1) / SPACING_M,
        drive[order],
        truth,
    )
