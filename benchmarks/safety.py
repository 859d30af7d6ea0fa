"""Sequences of everything that may happen to an arm node, and the commands that broke a promise.

A referee that shares no code with the safety envelope judges each command, and each silence where a
hold was due. Profiles are drawn too, from timid to careless, with keep-out boxes.
"""

from collections import Counter

import numpy as np
import tyro

from benchmarks.destination import results_file
from benchmarks.envelope_play import Play, random_profile, random_sequence
from latentplan_ros.control.profile import load_profile
from latentplan_ros.evaluation.results import Figure, write_results

ROBOTS = ("franka", "sawyer")
SHOWN = 100  # violations kept in the results, with what repeats them


def main(sequences: int = 100_000, seed: int = 0, quick: bool = False) -> None:
    """Writes safety/sequences and safety/violations.

    Args:
        sequences: how many; sequence i is drawn from default_rng([seed, i]).
        seed: of all draws.
        quick: 1000 sequences, results below runs/.
    """
    sequences = 1000 if quick else sequences
    profiles = [load_profile(robot) for robot in ROBOTS]
    counts: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    limited: Counter[str] = Counter()
    shown: list[str] = []
    for index in range(sequences):
        rng = np.random.default_rng([seed, index])
        profile = random_profile(profiles[index % len(profiles)], rng)
        play = Play(profile)
        violations = play.run(random_sequence(profile, rng))
        counts.update(moves=play.moves, holds=play.holds, violations=len(violations))
        counts["broken sequences"] += bool(violations)
        refused.update({reason.name: n for reason, n in play.refused.items()})
        limited.update({limit.name: n for limit, n in play.limited.items()})
        shown += [f"sequence {index}, {v}" for v in violations][: SHOWN - len(shown)]
        if (index + 1) % 10_000 == 0:
            print(f"{index + 1} sequences: {dict(counts)}", flush=True)
    print(f"{sequences} sequences: {dict(counts)}")
    for violation in shown:
        print(violation)
    # None in n sequences: fewer than one in n / 3 break a promise, with 95 % confidence.
    most = 3.0 / sequences if counts["broken sequences"] == 0 else None
    write_results(
        results_file("safety", quick),
        {
            "safety/sequences": Figure(sequences, "sequences", sequences),
            "safety/violations": Figure(
                counts["violations"], "commands", counts["moves"] + counts["holds"]
            ),
        },
        seeds=[seed],
        settings={"sequences": sequences, "robots": list(ROBOTS)},
        raw={
            "counts": dict(counts),
            "refused": dict(refused),
            "limited": dict(limited),
            "broken_sequences_at_most": most,
            "violations": shown,
        },
    )


if __name__ == "__main__":
    tyro.cli(main)
