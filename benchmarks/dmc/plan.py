"""How much of everything: the paper's settings."""

from dataclasses import dataclass, field

from benchmarks.dmc.tasks import EPISODE


class DmcError(RuntimeError):
    """Training cannot begin or go on; the message says why, and what to do."""


@dataclass(frozen=True)
class SacSettings:
    """Supplement, table 2; what it leaves open is CURL's (Laskin et al. 2020, table 3)."""

    batch_size: int = 64
    initial_steps: int = 1000  # random actions before the first update
    replay: int = 100_000  # pictures
    discount: float = 0.99
    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    temperature: float = 0.1  # alpha at first
    temperature_rate: float = 1e-4
    temperature_betas: tuple[float, float] = (0.5, 0.999)
    q_tau: float = 0.01
    encoder_tau: float = 0.05  # CURL
    target_every: int = 2
    actor_every: int = 2  # CURL


@dataclass(frozen=True)
class Plan:
    """steps: of the environment, not of the agent; evaluate_every: of those; episodes: an
    evaluation; save_every_s: after that many seconds the end of an episode is saved."""

    settings: SacSettings = field(default_factory=SacSettings)
    steps: int = 100_000
    evaluate_every: int = 10_000
    episodes: int = 10
    save_every_s: float = 600.0

    def __post_init__(self) -> None:
        if self.steps <= 0 or self.steps % EPISODE:
            raise DmcError(
                f"steps must be whole episodes of {EPISODE}, not {self.steps}: --steps "
                f"{max(1, round(self.steps / EPISODE)) * EPISODE}"
            )
