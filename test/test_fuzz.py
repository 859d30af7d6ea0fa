"""A sample of what ``python -m benchmarks.fuzz`` does for long: no parser of foreign bytes gives
anything but an object or its own error."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.parsers import PARSERS  # noqa: E402

SAMPLE = """
import json
from benchmarks.fuzz_worker import sample
from benchmarks.parsers import PARSERS
for name in PARSERS:
    print(json.dumps([name, *sample(name, seconds=0.4, least=25, seed=7)]), flush=True)
"""


@pytest.fixture(scope="module")
def sampled():
    """Each parser's inputs and findings; a process of its own, since a finding may be a crash."""
    run = subprocess.run(
        [sys.executable, "-c", SAMPLE], cwd=ROOT, capture_output=True, text=True, check=False
    )
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return {name: rest for name, *rest in lines}, run


@pytest.mark.parametrize("name", PARSERS)
def test_wrong_bytes_give_an_object_or_the_parsers_own_error(sampled, name):
    found, run = sampled
    assert name in found, f"the process ended with {run.returncode}: {run.stderr[-2000:]}"
    executions, findings = found[name]
    assert findings == []
    assert executions >= 25


def test_a_finding_is_told(tmp_path, monkeypatch):
    from benchmarks import parsers
    from benchmarks.fuzz_worker import Subject

    def careless(scratch):
        def read(data, folder):
            if data == b"slow":
                raise MemoryError
            return {"good": 1}[data.decode()]

        return parsers.Parser(read, [b"good"], (UnicodeDecodeError,))

    monkeypatch.setitem(parsers.PARSERS, "careless", careless)
    told = []
    subject = Subject("careless", tmp_path, told.append)
    for data in (b"good", b"\xff", b"bad", b"bad too", b"slow"):
        subject.read(data)
    assert subject.executions == 5
    assert [finding["kind"].split()[0] for finding in told] == ["KeyError", "MemoryError"]
    assert Path(told[0]["input"]).read_bytes() == b"bad"
