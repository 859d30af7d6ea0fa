"""Datasets made to do harm: to run code, or to ask for memory that their files do not fill."""

import json
import pickle
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from sample_datasets import episode, write

from latentplan_ros.data.dataset import Dataset, DatasetError

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks import limits


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write(tmp_path_factory.mktemp("whole") / "D.zarr", [episode(9), episode(7)]).path


@pytest.fixture
def path(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "D.zarr")
    return tmp_path / "D.zarr"


def change(path: Path, array: str, **values: object) -> None:
    file = path / array / ".zarray"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def describe(path: Path, **values: object) -> None:
    file = path / ".zattrs"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def refused(path: Path, words: str) -> None:
    with limits.memory(2**29), pytest.raises(DatasetError, match=words) as caught:
        Dataset.open(path)
    assert str(path) in str(caught.value)


class Trap:
    def __init__(self, trace: Path) -> None:
        self.trace = str(trace)

    def __reduce__(self):
        return open, (self.trace, "w")


@pytest.mark.parametrize("array", ["data/action", "data/truth", "meta/episode_ends"])
def test_pickles_in_a_dataset_are_not_opened(path, tmp_path, array):
    trace = tmp_path / "ran"
    rows = np.empty(16, object)
    rows[:] = [Trap(trace)] * 16
    packed = pickle.dumps([*rows.tolist(), "|O", (16,)])
    shape = {"shape": [16], "chunks": [16]} if array.startswith("meta") else {}
    change(path, array, dtype="|O", filters=[{"id": "pickle"}], fill_value=None, **shape)
    for chunk in (path / array).glob("[0-9]*"):
        chunk.write_bytes(packed)
    refused(path, "packed|torn")
    assert not trace.exists()


@pytest.mark.parametrize("rows", [10**6, 10**9, 2**62])
@pytest.mark.parametrize("array", ["data/image", "data/action", "meta/episode_ends"])
def test_rows_that_are_not_on_disk_cost_nothing(path, array, rows):
    tail = json.loads((path / array / ".zarray").read_text())["shape"][1:]
    change(path, array, shape=[rows, *tail])
    if array == "meta/episode_ends":
        refused(path, r"image|torn")
    else:
        with limits.memory(2**29):
            assert Dataset.open(path).num_frames == 16  # the rest was never committed


def test_chunks_larger_than_memory_are_refused(path):
    change(path, "data/action", chunks=[2**40, 4])
    refused(path, "chunks of 1099511627776 rows")


@pytest.mark.parametrize("wide", [2**40, 0, 6])
def test_rows_of_another_width_are_refused(path, wide):
    change(path, "data/state", shape=[16, wide], chunks=[1024, max(wide, 1)])
    refused(path, "state|torn")


def test_packed_arrays_are_refused_unseen(path):
    change(path, "data/action", compressor={"id": "zstd", "level": 1})
    refused(path, "data/action is packed")


@pytest.mark.parametrize("size", [0, -1, 10**6, 2.5, "8", None])
def test_impossible_picture_sizes_are_refused(path, size):
    describe(path, image_size=size)
    refused(path, "image")


@pytest.mark.parametrize(
    "values",
    [
        {"state_names": [1, 2, 3, 4, 5]},
        {"exploration_std": ["x"]},
        {"camera": 7},
        {"notes": []},
        {"action_space": {"gripper_m": [0]}},
        {"state_names": None},
    ],
)
def test_attributes_of_another_kind_are_refused(path, values):
    describe(path, **values)
    refused(path, "torn")


@pytest.mark.parametrize("file", [".zattrs", ".zgroup", "data/image/.zarray"])
def test_metadata_nested_very_deep_is_refused(path, file):
    (path / file).write_text('{"notes":' + "[" * 100_000 + "]" * 100_000 + "}")
    refused(path, "torn|image")
