"""What arrived in an episode, topic by topic, and what did not."""

from dataclasses import dataclass, field


class Numbering:
    """Finds the messages that never arrived, from the gaps in what publishers count themselves.

    What a publisher sent before its first message here is not missing, since nobody listened.
    """

    def __init__(self) -> None:
        self._newest: dict[bytes, int] = {}

    def missed(self, publisher: bytes, number: int) -> int:
        """Messages between this one and the publisher's last; 0 for one that came before."""
        newest = self._newest.get(publisher, number - 1)
        self._newest[publisher] = max(newest, number)
        return max(0, number - newest - 1)


@dataclass
class Tally:
    """One topic in one episode.

    dropped: messages that were sent and never arrived; unnumbered: messages of which the transport
    does not say what number they have, so that nothing is known about those before them.
    """

    messages: int = 0
    size: int = 0
    dropped: int = 0
    unnumbered: int = 0
    longest_gap_ns: int = 0
    first_ns: int = 0
    last_ns: int = 0

    def add(self, time_ns: int, size: int, missed: int | None = 0) -> None:
        """A message received at time_ns, ``missed`` others before it; None: that is unknown."""
        if self.messages:
            self.longest_gap_ns = max(self.longest_gap_ns, time_ns - self.last_ns)
        else:
            self.first_ns = time_ns
        self.last_ns = time_ns
        self.messages += 1
        self.size += size
        self.dropped += missed or 0
        self.unnumbered += missed is None

    @property
    def rate_hz(self) -> float:
        seconds = (self.last_ns - self.first_ns) * 1e-9
        return (self.messages - 1) / seconds if seconds > 0 else 0.0

    @property
    def losses(self) -> str:
        """The dropped messages in words: a number, and whether it can be one."""
        if self.unnumbered == 0:
            return f"{self.dropped} dropped"
        return "drops unknown: the transport does not number the messages"

    def __str__(self) -> str:
        words = [f"{self.messages} messages"]
        if self.messages > 1:
            words += [f"{self.rate_hz:.1f} Hz", f"longest gap {self.longest_gap_ns * 1e-9:.3f} s"]
        return ", ".join([*words, self.losses])


@dataclass
class EpisodeTally:
    """All topics of an episode."""

    topics: dict[str, Tally] = field(default_factory=dict)

    def of(self, topic: str) -> Tally:
        return self.topics.setdefault(topic, Tally())

    @property
    def dropped(self) -> int:
        return sum(tally.dropped for tally in self.topics.values())

    def losers(self) -> list[str]:
        """Topics of which messages were dropped."""
        return [name for name, tally in self.topics.items() if tally.dropped]

    def summary(self, name: str, seconds: float, outcome: str, silent: str) -> str:
        """The episode in a line, and a line each topic. silent: wanted topics that said nothing."""
        messages = sum(t.messages for t in self.topics.values())
        size_mb = sum(t.size for t in self.topics.values()) / 1e6
        rate = f" ({size_mb / seconds:.1f} MB/s)" if seconds > 0 else ""
        head = [f"{seconds:.2f} s", f"{messages} messages", f"{size_mb:.1f} MB{rate}"]
        unknown = ", ".join(topic for topic, tally in self.topics.items() if tally.unnumbered)
        head += [f"{self.dropped} dropped" + (f" (unknown on {unknown})" if unknown else "")]
        head += [f"marked {outcome}"] if outcome else []
        lines = [f"{name}: {', '.join(head)}"]
        lines += [f"  {topic}: {tally}" for topic, tally in self.topics.items()]
        return "\n".join([*lines, *([f"  none on {silent}"] if silent else [])])
