"""Random drives through a map: what a car would have recorded that drove every street of it."""

import numpy as np

SHORTEST, LONGEST = 50, 100  # views of a drive


def first_seen(steps: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """In which drive each of ``count`` places is seen first, ``int64 [count]``; 0 is the first.

    steps: from which place to which a car can go, ``int64 [E,2]``. The drives, of 50 to 100 views
    unless a street ends with no way on, continue until each step has been driven; one that sees
    nothing new gets no number. -1: a place that no step touches.
    """
    onwards: list[list[int]] = [[] for _ in range(count)]
    for start, end in steps.tolist():
        onwards[start].append(end)
    undriven = [set(ends) for ends in onwards]
    seen = np.full(count, -1)
    drive = 0
    for start in rng.permutation(count).tolist():
        while undriven[start]:
            places = np.array(_drive(start, onwards, undriven, rng))
            new = places[seen[places] < 0]
            seen[new] = drive
            drive += len(new) > 0
    return seen


def _drive(
    start: int, onwards: list[list[int]], undriven: list[set[int]], rng: np.random.Generator
) -> list[int]:
    """Places of one drive, in order; takes the steps that it drives out of ``undriven``."""
    places, before = [start], -1
    for chance in rng.random(rng.integers(SHORTEST, LONGEST + 1) - 1).tolist():
        place = places[-1]
        # A driver does not turn round where there is another way on.
        ways = [end for end in onwards[place] if end != before] or onwards[place]
        if not ways:
            break
        ways = [end for end in ways if end in undriven[place]] or ways
        places.append(ways[int(chance * len(ways))])
        undriven[place].discard(places[-1])
        before = place
    return places
