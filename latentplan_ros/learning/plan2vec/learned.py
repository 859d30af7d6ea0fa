"""A folder of what Plan2vec learned from sequences: the pictures, the map, the graph."""

import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latentplan_ros.data.sequences import Sequences
from latentplan_ros.graph.frame_graph import FrameGraph, GraphError
from latentplan_ros.models.picture_map import PictureMap

_PICTURES, _MAP, _GRAPH = "pictures.npz", "map.safetensors", "graph.safetensors"
_KINDS = {"pictures": "u", "steps": "iu", "lengths": "f", "sequence": "iu", "truth": "f"}


@dataclass(frozen=True)
class Learned:
    """source: what the pictures are of, as it was named; graph: a frame for each picture."""

    source: str
    sequences: Sequences
    map: PictureMap
    graph: FrameGraph

    def save(self, folder: Path) -> None:
        """Each of the three files whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        of = self.sequences
        arrays = {name: getattr(of, name) for name in _KINDS if getattr(of, name) is not None}
        partial = folder / f"{_PICTURES}.partial"
        try:
            with partial.open("wb") as file:
                np.savez_compressed(file, source=np.array(self.source), **arrays)
            os.replace(partial, folder / _PICTURES)
        finally:
            partial.unlink(missing_ok=True)
        self.map.save(folder / _MAP)
        self.graph.save(folder / _GRAPH)

    @classmethod
    def load(cls, folder: Path) -> "Learned":
        """What save wrote.

        Raises GraphError where a file is missing, torn, or of another set of pictures than the
        others, and MapError for the map.
        """
        folder = Path(folder)
        missing = [n for n in (_PICTURES, _MAP, _GRAPH) if not (folder / n).is_file()]
        if missing:
            raise GraphError(
                f"{folder} has no {' and no '.join(missing)}: make it with `latentplan graph build "
                f"SOURCE -o {folder}`; the same command continues a stopped one"
            )
        source, sequences = _read_pictures(folder / _PICTURES)
        graph = FrameGraph.load(folder / _GRAPH)
        if graph.num_frames != len(sequences.pictures):
            raise GraphError(
                f"{folder}: {_GRAPH} has {graph.num_frames} frames and {_PICTURES} "
                f"{len(sequences.pictures)} pictures: they are of different builds; build it again"
            )
        return cls(source, sequences, PictureMap.load(folder / _MAP), graph)


def _read_pictures(path: Path) -> tuple[str, Sequences]:
    try:
        with np.load(path, allow_pickle=False) as file:
            source = str(file["source"])
            arrays = {name: file[name] for name in _KINDS if name in file.files}
        for name, values in arrays.items():
            if values.dtype.kind not in _KINDS[name] or not np.isfinite(values).all():
                raise ValueError(f"{name} is {values.dtype}, or not finite")
        return source, Sequences(**arrays)
    # What numpy and zipfile stumble over in a file that is none of theirs, or torn.
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        EOFError,
        AttributeError,
        NotImplementedError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        reason = " ".join(str(error).split())[:300]
        raise GraphError(f"{path} holds no sequences of pictures: {reason}") from None
