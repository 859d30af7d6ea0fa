"""One private ROS domain a test, closed with all its processes whatever happens."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # `from harness import ...` in every import mode

from harness import Ros


@pytest.fixture
def ros() -> Iterator[Ros]:
    domain = Ros()
    yield domain
    domain.close()
