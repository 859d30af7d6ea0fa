"""A Zarr array on disk that rows are appended to, safe against being killed at any moment."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

METADATA = ".zarray"


class GrowingArray:
    """Zarr format 2, uncompressed, chunked along the first axis: a chunk file is its rows' bytes.

    Written here and not through Zarr because Zarr rewrites the whole last chunk for each append and
    tells the new length before the rows are there. Here rows that are there are never written
    again, and the length, which commits new ones, changes in one step once they are written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._metadata: dict[str, Any] = json.loads((folder / METADATA).read_text())
        self.row_shape = tuple(self._metadata["shape"][1:])
        self.dtype = np.dtype(self._metadata["dtype"])
        self._chunk_rows = int(self._metadata["chunks"][0])
        self._row_bytes = self.dtype.itemsize * int(np.prod(self.row_shape, dtype=np.int64))

    @classmethod
    def create(
        cls, folder: Path, row_shape: tuple[int, ...], dtype: str, chunk_rows: int
    ) -> "GrowingArray":
        """An array without rows in a new folder."""
        folder.mkdir(parents=True)
        metadata = {
            "zarr_format": 2,
            "shape": [0, *row_shape],
            "chunks": [chunk_rows, *row_shape],
            "dtype": np.dtype(dtype).str,
            "compressor": None,
            "fill_value": 0,
            "filters": None,
            "order": "C",
        }
        write_json(folder / METADATA, metadata)
        return cls(folder)

    def __len__(self) -> int:
        return int(self._metadata["shape"][0])

    def write(self, start: int, rows: np.ndarray) -> None:
        """Puts ``rows [N, *row_shape]`` from row ``start`` on, and ends the array behind them.

        start is below the length only where rows were written that their dataset never committed.
        """
        data = np.ascontiguousarray(rows, self.dtype)
        done = 0
        while done < len(data):
            chunk, offset = divmod(start + done, self._chunk_rows)
            count = min(len(data) - done, self._chunk_rows - offset)
            with open(self._chunk(chunk), "r+b" if self._chunk(chunk).exists() else "w+b") as file:
                file.truncate(self._chunk_rows * self._row_bytes)  # Zarr wants whole chunks
                file.seek(offset * self._row_bytes)
                file.write(data[done : done + count].tobytes())
            done += count
        self._metadata["shape"][0] = start + len(data)
        write_json(self.folder / METADATA, self._metadata)

    def _chunk(self, index: int) -> Path:
        return self.folder / ".".join([str(index), *"0" * len(self.row_shape)])


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Replaces the file in one step: a reader, or a kill, sees the old text or the new."""
    scratch = path.with_name(path.name + ".partial")
    scratch.write_text(json.dumps(values, indent=4))
    os.replace(scratch, path)
