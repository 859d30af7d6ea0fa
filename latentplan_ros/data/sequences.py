"""Gray pictures of recorded sequences, and which step led from which to which (Plan2vec's data)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SIZE = 64  # pixels on a side, as in Plan2vec's appendix B


class SequenceError(ValueError):
    """Sequences that nothing can be learned from; the message says which, and what to change."""


@dataclass(frozen=True)
class Sequences:
    """N pictures and E recorded steps between them.

    pictures: ``uint8 [N,64,64]``; steps: from which picture to which, ``int64 [E,2]``; lengths: of
    each step, in units of an ordinary one, ``float64 [E]``; sequence: which one each picture is of,
    ``int64 [N]``, so that whole sequences can be held out; truth: where each picture was taken,
    ``float64 [N,K]``, or None; evaluation reads it and nothing else.

    Raises SequenceError where these do not belong together, or are of one picture alone.
    """

    pictures: np.ndarray
    steps: np.ndarray
    lengths: np.ndarray
    sequence: np.ndarray
    truth: np.ndarray | None = None

    def __post_init__(self) -> None:
        count = len(self.pictures)
        if self.pictures.dtype != np.uint8 or self.pictures.shape[1:] != (SIZE, SIZE):
            raise SequenceError(
                f"pictures must be uint8 [N,{SIZE},{SIZE}], not {self.pictures.dtype} "
                f"{list(self.pictures.shape)}"
            )
        if count < 2 or not len(self.steps):
            raise SequenceError(
                f"{count} pictures with {len(self.steps)} steps between them: there is nothing to "
                "plan; record at least two pictures in a row"
            )
        if self.steps.shape != (len(self.steps), 2) or self.lengths.shape != (len(self.steps),):
            raise SequenceError(
                f"steps must be [E,2] and lengths [E], not {list(self.steps.shape)} and "
                f"{list(self.lengths.shape)}"
            )
        if self.steps.min() < 0 or self.steps.max() >= count:
            raise SequenceError(f"steps lead to pictures beyond the {count} that there are")
        if not (np.isfinite(self.lengths) & (self.lengths > 0)).all():
            raise SequenceError("lengths of steps must be finite and above 0")
        for name, values in (("sequence", self.sequence), ("truth", self.truth)):
            if values is not None and len(values) != count:
                raise SequenceError(f"{name} has {len(values)} rows for {count} pictures")

    @classmethod
    def in_a_row(
        cls, pictures: Sequence[np.ndarray], truth: Sequence[np.ndarray] | None = None
    ) -> "Sequences":
        """Sequences of any length, ``uint8 [T,64,64]`` each: each picture follows the one before.

        truth: ``float64 [T,K]`` each. Every step has length 1.
        """
        if not pictures:
            raise SequenceError("no sequences: there is nothing to learn from")
        ends = np.cumsum([len(part) for part in pictures])
        before = np.setdiff1d(np.arange(ends[-1]), ends - 1)
        return cls(
            np.concatenate(pictures),
            np.stack([before, before + 1], axis=1),
            np.ones(len(before)),
            np.repeat(np.arange(len(pictures)), [len(part) for part in pictures]),
            None if truth is None else np.concatenate(truth),
        )

    def only(self, chosen: np.ndarray) -> "Sequences":
        """The sequences with these numbers ``int64 [S]``: their pictures, and the steps within."""
        kept = np.isin(self.sequence, chosen)
        number = np.cumsum(kept) - 1
        inside = kept[self.steps].all(1)
        return Sequences(
            self.pictures[kept],
            number[self.steps[inside]],
            self.lengths[inside],
            self.sequence[kept],
            None if self.truth is None else self.truth[kept],
        )
