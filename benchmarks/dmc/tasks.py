"""What the trainings are of: tasks of the suite, and how they are looked at."""

from dataclasses import dataclass

RENDERED, STACKED = 100, 3  # pixels of a side, pictures of an observation (supplement, table 2)
EPISODE = 1000  # environment steps; the most return, as a reward is in [0, 1]


@dataclass(frozen=True)
class Task:
    """domain, name: the suite's; repeat: environment steps that an action is held (table 2)."""

    domain: str
    name: str
    repeat: int

    @property
    def title(self) -> str:
        return f"{self.domain}_{self.name}"


TASKS = {
    task.domain: task
    for task in (
        Task("cartpole", "swingup", 8),
        Task("reacher", "easy", 4),
        Task("ball_in_cup", "catch", 4),
        Task("finger", "spin", 2),
    )
}
