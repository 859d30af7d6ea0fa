"""Files that are right but for one value of another kind: what blind bytes seldom make."""

import contextlib
import copy
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import limits  # noqa: E402
from benchmarks.parsers import PARSERS  # noqa: E402

NAMES = ["bag_metadata", "checkpoint_headers", "datasets", "joysticks", "profiles", "recipes"]
NAMES += ["results", "scenes"]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from([0, -1, 2**31, 2**40, 10**250, "", "x", "1e3", "nan", "../..", "\x00"])
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in a document a value is."""
    items = value if isinstance(value, dict) else dict(enumerate(value or ()))
    for key, inner in items.items():
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, key))


@pytest.fixture(scope="module")
def parsers(tmp_path_factory):
    return {name: PARSERS[name](tmp_path_factory.mktemp(name)) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_one_value_of_another_kind_is_read_or_refused(parsers, tmp_path, name, data):
    parser = parsers[name]
    seed = data.draw(st.sampled_from(parser.seeds))
    head, text = (seed[:1], seed[1:]) if name == "datasets" else (b"", seed)
    document = copy.deepcopy(yaml.safe_load(text))
    *way, last = data.draw(st.sampled_from(list(places(document))))
    place = document
    for key in way:
        place = place[key]
    if isinstance(place, dict) and data.draw(st.booleans()):
        del place[last]
    else:
        place[last] = data.draw(VALUES)
    work = tmp_path / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    with limits.memory(2**29), limits.seconds(20.0), contextlib.suppress(*parser.errors):
        parser.read(head + json.dumps(document).encode(), work)
