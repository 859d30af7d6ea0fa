"""A dataset to look at: a sheet of pictures and a video."""

from pathlib import Path

import cv2
import imageio_ffmpeg  # type: ignore[import-untyped]
import numpy as np

from latentplan_ros.data.dataset import Dataset, DatasetError

ROWS, COLUMNS = 8, 10
SCALE = 4  # of the video


def preview(dataset: Dataset, out_dir: Path, episodes: int = ROWS) -> tuple[Path, Path]:
    """Write ``sheet.png`` (an episode a row, time to the right) and ``episodes.mp4``; their paths.

    The episodes are spread over the whole dataset. Raises DatasetError for a dataset without any.
    """
    if dataset.num_episodes == 0:
        raise DatasetError(f"{dataset.path}: holds no episode to preview")
    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    count = min(episodes, dataset.num_episodes)
    chosen = np.linspace(0, dataset.num_episodes - 1, count).round().astype(int)
    sheet, video = out_dir / "sheet.png", out_dir / "episodes.mp4"
    rows = [_row(dataset, int(index)) for index in chosen]
    cv2.imwrite(str(sheet), cv2.cvtColor(np.concatenate(rows), cv2.COLOR_RGB2BGR))
    rate = dataset.info.action_space.rate_hz
    side = SCALE * dataset.info.image_size
    writer = imageio_ffmpeg.write_frames(
        str(video), (side, side), fps=rate, codec="libx264", macro_block_size=2
    )
    writer.send(None)  # starts the encoder
    try:
        for index in chosen:
            for picture in dataset.episode(int(index)).image:
                writer.send(_framed(picture, f"episode {index}").tobytes())
    finally:
        writer.close()
    return sheet, video


def _row(dataset: Dataset, index: int) -> np.ndarray:
    start, stop = int(dataset.episode_starts[index]), int(dataset.episode_ends[index])
    frames = np.linspace(start, stop - 1, COLUMNS).round().astype(int)
    return np.concatenate(list(dataset.images(frames)), axis=1)


def _framed(picture: np.ndarray, text: str) -> np.ndarray:
    side = SCALE * picture.shape[0]
    large = cv2.resize(picture, (side, side), interpolation=cv2.INTER_NEAREST)
    return cv2.putText(large, text, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1)
