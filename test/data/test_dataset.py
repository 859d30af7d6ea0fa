"""Datasets on disk: what is committed survives, and what is read is what was written."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from recordings import franka_recording
from sample_datasets import INFO, SIZE, episode, same, write

from latentplan_ros import cli
from latentplan_ros.data.check import check
from latentplan_ros.data.dataset import CHUNK_FRAMES, Dataset, DatasetError, DatasetWriter
from latentplan_ros.data.episode import Episode, EpisodeError

LENGTHS = (400, 30, 700, 2, 500, 1100)  # over three chunks of pictures
EPISODES = [episode(length, seed) for seed, length in enumerate(LENGTHS)]
ZARR_3 = not zarr.__version__.startswith("2.")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data") / "whole.zarr", EPISODES)


# A process for each moment at which the disk is about to change: it writes the dataset from
# nothing in two commits, and is killed at that moment.
KILLED_WRITERS = """
import os, signal, sys
from sample_datasets import INFO
from test_dataset import EPISODES
from latentplan_ros.data.dataset import DatasetWriter

def killed_at(moment, folder):
    seen = 0
    def look(event, arguments):
        nonlocal seen
        if event in ("open", "os.rename", "os.mkdir") and folder in str(arguments[0]):
            seen += 1
            if seen == moment:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(look)
    with DatasetWriter(folder + "/D.zarr", INFO) as writer:
        for each in EPISODES[:3]:
            writer.append(each)

moment, status = 0, 1
while status:
    moment += 1
    folder = f"{sys.argv[1]}/{moment}"
    os.mkdir(folder)
    child = os.fork()
    if child == 0:
        killed_at(moment, folder)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), status
print(moment)
"""


def test_a_writer_killed_at_any_moment_leaves_whole_episodes_and_the_next_one_continues(
    tmp_path,
):
    want = write(tmp_path / "want.zarr", EPISODES[:3])
    command = [sys.executable, "-c", KILLED_WRITERS, str(tmp_path)]
    here = str(Path(__file__).parent)
    path = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    moments = int(done.stdout)
    assert moments > 40
    left = []
    for moment in range(1, moments + 1):
        folder = tmp_path / str(moment) / "D.zarr"
        if folder.exists():
            dataset = Dataset.open(folder)
            count = dataset.num_episodes
            assert all(same(dataset.episode(i), EPISODES[i]) for i in range(count))
            assert count in left or check(folder) == []
            left.append(count)
        else:
            left.append(-1)
        with DatasetWriter(folder, INFO) as writer:
            for each in EPISODES[writer.num_episodes : 3]:
                writer.append(each)
        dataset = Dataset.open(folder)
        assert dataset.content_hash() == want.content_hash()
        assert all(same(dataset.episode(i), EPISODES[i]) for i in range(3))
        shutil.rmtree(folder.parent)
    assert sorted(set(left)) == [-1, 0, 1, 3]  # nothing, empty, and after each commit
    assert left == sorted(left)


def test_episodes_come_back_as_they_were_written(whole):
    assert whole.episode_ends.tolist() == np.cumsum(LENGTHS).tolist()
    assert all(same(whole.episode(i), each) for i, each in enumerate(EPISODES))


def test_zarr_and_the_tools_that_use_it_read_the_same(whole):
    group = zarr.open(str(whole.path), mode="r")
    assert json.loads((whole.path / ".zgroup").read_text()) == {"zarr_format": 2}
    for name in ("image", "action", "state", "truth"):
        want = np.concatenate([getattr(e, name) for e in EPISODES])
        got = group["data"][name]
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got[:], want)
    np.testing.assert_array_equal(group["meta"]["episode_ends"][:], np.cumsum(LENGTHS))
    assert group.attrs["action_space"]["translation_m"] == 0.1


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    indices=arrays.arrays(
        np.int64,
        arrays.array_shapes(min_dims=0, max_dims=3, max_side=5),
        elements=st.integers(0, sum(LENGTHS) - 1),
    )
)
def test_mapped_pictures_are_those_that_zarr_reads(whole, indices):
    want = np.concatenate([e.image for e in EPISODES])[indices]
    got = whole.images(indices)
    assert got.shape == (*indices.shape, SIZE, SIZE, 3)
    np.testing.assert_array_equal(got, want)


def test_pictures_stay_on_disk(whole):
    assert all(isinstance(chunk, np.memmap) for chunk in whole._images)
    assert len(whole._images) == -(-sum(LENGTHS) // CHUNK_FRAMES) == 3


def test_the_hash_names_the_contents(tmp_path, whole):
    again = write(tmp_path / "again.zarr", EPISODES)
    assert again.content_hash() == whole.content_hash()
    first = EPISODES[0]
    picture, action, state = first.image.copy(), first.action.copy(), first.state.copy()
    picture[0, 0, 0, 0] ^= 1
    action[5, 1] += 1e-3
    state[7, 2] += 1e-3
    others = [
        [replace(first, image=picture), *EPISODES[1:]],
        [replace(first, action=action), *EPISODES[1:]],
        [replace(first, state=state), *EPISODES[1:]],
        EPISODES[1:],
        EPISODES[::-1],
    ]
    hashes = {write(tmp_path / f"{i}.zarr", e).content_hash() for i, e in enumerate(others)}
    hashes.add(write(tmp_path / "info.zarr", EPISODES, replace(INFO, seed=1)).content_hash())
    assert len(hashes - {whole.content_hash()}) == 6


def test_the_split_is_disjoint_complete_and_reproducible(whole):
    train, held_out = whole.split(0.3, seed=5)
    assert sorted([*train, *held_out]) == list(range(6))
    assert len(held_out) == 2
    for got, want in zip(whole.split(0.3, seed=5), (train, held_out), strict=True):
        np.testing.assert_array_equal(got, want)
    assert {tuple(whole.split(0.3, seed=s)[1]) for s in range(20)} != {tuple(held_out)}
    assert len(whole.split(0.001, seed=0)[1]) == 1  # never nothing to measure on


# What is refused, and how it is said ---------------------------------------------------------
def test_other_data_is_not_mixed_in(tmp_path):
    write(tmp_path / "D.zarr", EPISODES[:1])
    for other in (replace(INFO, task="another"), replace(INFO, seed=7), replace(INFO, camera="x")):
        with pytest.raises(DatasetError, match=r"D\.zarr holds other data"):
            DatasetWriter(tmp_path / "D.zarr", other)
    assert Dataset.open(tmp_path / "D.zarr").num_episodes == 1


def test_two_writers_at_once_are_one_too_many(tmp_path):
    with DatasetWriter(tmp_path / "D.zarr", INFO) as writer:
        writer.append(EPISODES[1])
        with pytest.raises(DatasetError, match="another process"):
            DatasetWriter(tmp_path / "D.zarr", INFO)
    assert write(tmp_path / "D.zarr", [EPISODES[2]]).num_episodes == 2


def test_a_folder_that_is_no_dataset_is_left_alone(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "precious.txt").write_text("do not delete")
    (tmp_path / "file").write_text("a file")
    for path in ("notes", "file"):
        with pytest.raises(DatasetError, match=f"{path} exists and is not a dataset"):
            DatasetWriter(tmp_path / path, INFO)
    with pytest.raises(DatasetError, match="no dataset can be made there"):
        DatasetWriter(tmp_path / "file" / "D.zarr", INFO)
    assert (tmp_path / "notes" / "precious.txt").read_text() == "do not delete"


def test_an_episode_that_does_not_fit_is_refused_and_the_others_are_kept(tmp_path):
    large = np.zeros((30, SIZE + 1, SIZE + 1, 3), np.uint8)
    with pytest.raises(DatasetError, match=r"image has shape \(30, 9, 9, 3\), expected \[T, 8, 8"):
        write(tmp_path / "D.zarr", [EPISODES[1], replace(EPISODES[1], image=large)])
    with pytest.raises(DatasetError, match="truth has shape None"):
        write(tmp_path / "D.zarr", [replace(EPISODES[1], truth=None)])
    assert Dataset.open(tmp_path / "D.zarr").num_episodes == 1


def test_an_episode_holds_together():
    good = EPISODES[1]
    nan = good.state.copy()
    nan[4, 0] = np.nan
    for changes, words in [
        ({"image": good.image[:1]}, "at least 2 frames"),
        ({"image": good.image.astype(np.float32)}, "must be uint8"),
        ({"action": good.action[:-1]}, "action has shape"),
        ({"action": good.action[:, :3]}, "action must be"),
        ({"state": nan}, "state is not finite at step 4"),
    ]:
        with pytest.raises(EpisodeError, match=words):
            replace(good, **changes)
    assert isinstance(good, Episode)


def damaged(whole, tmp_path):
    shutil.copytree(whole.path, tmp_path / "D.zarr")
    return tmp_path / "D.zarr"


@pytest.mark.parametrize("length", [0, 1, 1000, CHUNK_FRAMES * SIZE * SIZE * 3 - 1])
def test_a_torn_chunk_is_named(whole, tmp_path, length):
    path = damaged(whole, tmp_path)
    chunk = path / "data" / "image" / "1.0.0.0"
    os.truncate(chunk, length)
    with pytest.raises(DatasetError, match=rf"1\.0\.0\.0 has {length} bytes, expected 196608"):
        Dataset.open(path)
    chunk.unlink()
    with pytest.raises(DatasetError, match=r"image/1\.0\.0\.0 has 0 bytes"):
        Dataset.open(path)


def test_torn_numbers_and_lists_are_named(whole, tmp_path):
    path = damaged(whole, tmp_path)
    os.truncate(path / "data" / "action" / "0.0", 1000)
    with pytest.raises(DatasetError, match=r"D\.zarr.*torn"):
        Dataset.open(path)
    shutil.rmtree(path)
    path = damaged(whole, tmp_path)
    metadata = path / "data" / "state" / ".zarray"
    metadata.write_text(metadata.read_text().replace("2732", "2000"))
    with pytest.raises(DatasetError, match="data/state has 2000 frames, meta/episode_ends says"):
        Dataset.open(path)
    metadata.write_text("{")
    with pytest.raises(DatasetError, match=r"D\.zarr.*torn"):
        Dataset.open(path)


def test_pictures_that_another_tool_compressed_are_refused(whole, tmp_path):
    path = damaged(whole, tmp_path)
    shutil.rmtree(path / "data" / "image")
    options = {"zarr_format": 2} if ZARR_3 else {}
    image = zarr.create(
        store=str(path),
        path="data/image",
        shape=(sum(LENGTHS), SIZE, SIZE, 3),
        chunks=(CHUNK_FRAMES, SIZE, SIZE, 3),
        dtype="uint8",
        **options,
    )
    image[:] = 7
    with pytest.raises(DatasetError, match="not stored uncompressed"):
        Dataset.open(path)


@pytest.mark.skipif(not ZARR_3, reason="zarr 2 cannot read Zarr format 3")
def test_format_3_is_read_too_but_not_continued(whole, tmp_path):
    group = zarr.open_group(str(tmp_path / "D.zarr"), mode="w", zarr_format=3)
    group.attrs.update(INFO.to_dict())
    for name in ("image", "action", "state", "truth"):
        values = np.concatenate([getattr(e, name) for e in EPISODES])
        chunks = (CHUNK_FRAMES, *values.shape[1:])
        group.create_array(f"data/{name}", data=values, chunks=chunks, compressors=None)
    group.create_array("meta/episode_ends", data=np.cumsum(LENGTHS), compressors=None)
    dataset = Dataset.open(tmp_path / "D.zarr")
    assert dataset.content_hash() == whole.content_hash()
    assert all(same(dataset.episode(i), each) for i, each in enumerate(EPISODES))
    with pytest.raises(DatasetError, match="Zarr format 3: it can be read but not continued"):
        DatasetWriter(tmp_path / "D.zarr", INFO)


@pytest.mark.skipif(ZARR_3, reason="zarr 3 reads Zarr format 3")
def test_format_3_without_zarr_3_says_what_is_needed(tmp_path):
    (tmp_path / "D.zarr").mkdir()
    (tmp_path / "D.zarr" / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group"}')
    with pytest.raises(DatasetError, match=r"Zarr format 3.*Python 3\.11"):
        Dataset.open(tmp_path / "D.zarr")


@pytest.mark.parametrize("verb", ["info", "check", "preview"])
@pytest.mark.parametrize("what", ["missing", "file", "folder", "foreign"])
def test_what_is_no_dataset_gets_one_clear_error(tmp_path, capsys, verb, what):
    path = tmp_path / "it"
    if what == "file":
        path.write_text("not a dataset")
    elif what != "missing":
        path.mkdir()
    if what == "foreign":
        zarr.open_group(str(path), mode="w", **({"zarr_format": 2} if ZARR_3 else {}))
    status = cli.main(["dataset", verb, str(path)])
    out, err = capsys.readouterr()
    if (verb, what) == ("check", "foreign"):
        assert status == 1  # a dataset with something wrong is what check is for
        assert "torn" in out.replace("\n", "")
        return
    assert status == 2
    assert err.startswith(f"error: {path}")
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_a_place_where_no_dataset_can_go_gets_one_clear_error(tmp_path, capsys):
    (tmp_path / "file").write_text("precious")
    bag = tmp_path / "bag"
    franka_recording(steps=6)[0].write(bag, robot="franka")
    for arguments in (
        ["build", str(tmp_path / "nothing"), "-o", str(tmp_path / "D.zarr")],
        ["build", str(tmp_path / "file"), "-o", str(tmp_path / "D.zarr")],
        ["build", str(bag), "-o", str(tmp_path / "file")],
        ["build", str(bag), "-o", str(tmp_path / "file" / "D.zarr")],
    ):
        assert cli.main(["dataset", *arguments]) == 2
        err = capsys.readouterr().err
        assert err.startswith("error: ")
        assert str(tmp_path) in err
        assert err.count("\n") == 1
    assert (tmp_path / "file").read_text() == "precious"
    assert not (tmp_path / "D.zarr").exists()
