"""One parser under bytes that are wrong, in a process of its own; ``benchmarks.fuzz`` starts it.

Whatever is neither an object nor a documented error is a finding, told as one line of JSON and kept
with its input: another exception, memory beyond the limit, too much time. A crash of the process
itself is for whoever started it to notice.
"""

import contextlib
import hashlib
import json
import mmap
import shutil
import struct
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks import limits

MEMORY_BYTES = 512 * 2**20  # beyond what the process has before the first input
SECONDS = 10.0  # an input
LONGEST = 64 * 1024  # an input, bytes
_NUMBERS = (0, 1, 2**7, 2**15, 2**31, 2**32 - 1, 2**40, 2**60, 2**63, 2**64 - 1)
_WORDS = (b"*a", b"&a ", b"!!int ", b"!!timestamp ", b"1e999", b"NaN", b"null", b"-1", b"[" * 2000)


class Subject:
    """The parser, and what came of the inputs so far: ``executions`` and ``findings``."""

    def __init__(self, name: str, folder: Path, say: Callable[[dict[str, str]], None]) -> None:
        """Reads every seed, which must give an object. say: told of each finding, once a kind."""
        from benchmarks.parsers import PARSERS

        self.name, self._say = name, say
        self._scratch = folder / "scratch"
        self._findings = folder / "findings"
        self._work = folder / "work"
        for each in (self._scratch, self._findings):
            each.mkdir(parents=True, exist_ok=True)
        self.parser = PARSERS[name](self._scratch)
        self.executions, self._known = 0, set[str]()
        for seed in self.parser.seeds:
            with self._folder() as work:
                self.parser.read(seed, work)

    @contextlib.contextmanager
    def _folder(self) -> Iterator[Path]:
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir()
        yield self._work

    def read(self, data: bytes) -> None:
        self.executions += 1
        try:
            with self._folder() as work, limits.seconds(SECONDS):
                self.parser.read(data, work)
        except self.parser.errors:
            return
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # what the parser must not raise
            self._note(error, data)

    def _note(self, error: BaseException, data: bytes) -> None:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if "<" not in f.filename]
        where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
        kind = f"{type(error).__name__} at {where}"
        if kind in self._known:
            return
        self._known.add(kind)
        file = self._findings / hashlib.sha256(data).hexdigest()[:16]
        file.write_bytes(data)
        self._say({"kind": kind, "error": str(error)[:300], "input": str(file)})


def mutations(seeds: list[bytes], rng: np.random.Generator) -> Iterator[bytes]:
    """Endless inputs, each a seed changed in one to four places; for where Atheris is missing."""
    while True:
        data = bytearray(seeds[rng.integers(len(seeds))])
        for _ in range(rng.integers(1, 5)):
            at = int(rng.integers(len(data) + 1))
            kind = rng.integers(7)
            if kind == 0:
                del data[at:]
            elif kind == 1:
                del data[at : at + int(rng.integers(1, 64))]
            elif kind == 2 and at < len(data):
                data[at] = int(rng.integers(256))
            elif kind == 3:
                size = ("<B", "<H", "<I", "<Q", ">I", ">Q")[rng.integers(6)]
                most = 2 ** (8 * struct.calcsize(size)) - 1
                number = struct.pack(size, _NUMBERS[rng.integers(len(_NUMBERS))] & most)
                data[at : at + len(number)] = number
            elif kind == 4:
                data[at:at] = _WORDS[rng.integers(len(_WORDS))]
            elif kind == 5:
                data[at:at] = data[at // 2 : at // 2 + int(rng.integers(1, 256))]
            else:
                other = seeds[rng.integers(len(seeds))]
                data[at:] = other[at:]
        yield bytes(data[:LONGEST])


def sample(name: str, seconds: float, least: int, seed: int) -> tuple[int, list[dict[str, str]]]:
    """Inputs read and findings of a short run without Atheris, in this process."""
    findings: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        subject = Subject(name, Path(folder), findings.append)
        with limits.memory(MEMORY_BYTES):
            end = time.monotonic() + seconds
            for data in mutations(subject.parser.seeds, np.random.default_rng(seed)):
                subject.read(data)
                if subject.executions >= least and time.monotonic() > end:
                    break
    return subject.executions, findings


def main(name: str, folder: Path, seconds: int, seed: int) -> None:
    """Fuzz with Atheris; counts executions in ``folder/count``, which outlives a crash."""
    import atheris

    with atheris.instrument_imports(include=["latentplan_ros", "mcap", "benchmarks.summary"]):
        subject = Subject(name, folder, lambda finding: print(json.dumps(finding), flush=True))
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for index, data in enumerate(subject.parser.seeds):
        (corpus / f"seed{index}").write_bytes(data)
    words = folder / "words"
    words.write_text("".join(f'"{_escaped(w)}"\n' for w in _WORDS))
    count = folder / "count"
    if not count.exists():
        count.write_bytes(bytes(8))
    with count.open("r+b") as file, mmap.mmap(file.fileno(), 8) as counter:
        before = struct.unpack("<Q", counter[:])[0]

        def read(data: bytes) -> None:
            subject.read(data)
            counter[:] = struct.pack("<Q", before + subject.executions)

        options = {
            "max_total_time": seconds,
            "max_len": LONGEST,
            "timeout": int(3 * SECONDS),
            "rss_limit_mb": 0,  # limited by address space instead
            "seed": seed,
            "dict": words,
            "artifact_prefix": f"{folder}/findings/",
        }
        arguments = [f"-{key}={value}" for key, value in options.items()]
        atheris.Setup([sys.argv[0], *arguments, str(corpus)], read)
        with limits.memory(MEMORY_BYTES):
            atheris.Fuzz()


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word[:60])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
