"""What a person watches, as a Rerun log: pictures, curves, states and the arm in its box."""

import re
from collections import deque
from pathlib import Path

import cv2
import numpy as np
import rerun as rr
import rerun.blueprint as rrb
from visualization_msgs.msg import Marker, MarkerArray

from latentplan_ros.control.profile import RobotProfile

TIMELINE = "time"
JPEG_QUALITY = 80
PIECE_S = 0.2
TRAIL = 100  # poses
SHOWN_S = 60.0
DARK = (32, 36, 44)  # paths are light
LEVELS = {"OK": (60, 170, 90), "WARN": (230, 170, 40), "ERROR": (220, 60, 60)}


class LiveView:
    """One Rerun recording. Times are seconds of the graph's clock; call ``at`` before logging.

    data: a viewer's address, or empty; save: an .rrd file, or None.
    """

    def __init__(
        self, profile: RobotProfile, data: str, save: Path | None, simulated_time: bool
    ) -> None:
        # A browser takes a few large pieces a second more easily than hundreds of small ones.
        batches = rr.ChunkBatcherConfig.DEFAULT()
        batches.flush_tick = PIECE_S
        self._log = rr.RecordingStream("latentplan", batcher_config=batches)
        sinks = [rr.GrpcSink(data)] if data else []
        sinks += [rr.FileSink(str(save))] if save else []
        self._log.set_sinks(*sinks, default_blueprint=layout())
        self._simulated_time = simulated_time
        self._trail: deque[np.ndarray] = deque(maxlen=TRAIL)
        self._said: dict[str, str] = {}
        self._colours: dict[str, dict[str, tuple[int, int, int]]] = {}
        self._draw_boxes(profile)
        names, colours = ["x", "y", "z", "gripper"], [*LEVELS.values(), (90, 120, 230)]
        self._log.log("action", rr.SeriesLines(names=names, colors=colours), static=True)

    def at(self, seconds: float) -> None:
        if self._simulated_time:
            self._log.set_time(TIMELINE, duration=seconds)
        else:
            self._log.set_time(TIMELINE, timestamp=seconds)

    def picture(self, entity: str, rgb: np.ndarray) -> None:
        """``uint8 [H,W,3]``, kept as JPEG: an hour of raw pictures fills no memory."""
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        self._log.log(entity, rr.EncodedImage(contents=jpeg.tobytes(), media_type="image/jpeg"))

    def number(self, entity: str, value: float) -> None:
        self._log.log(entity, rr.Scalars(value))

    def value(self, node: str, key: str, value: float) -> None:
        """A number that a node says of itself."""
        self._log.log(["values", *_parts(node), key], rr.Scalars(value))

    def action(self, axes: list[float]) -> None:
        """x, y, z, gripper."""
        self._log.log("action", rr.Scalars(axes))

    def status(self, node: str, level: str, reason: str, message: str) -> None:
        """level: a key of ``LEVELS``; reason: a short name of why, or empty. Logged on change."""
        entity = rr.new_entity_path(["state", *_parts(node)])
        state, said = reason or level, f"{level} {message}"
        if self._said.get(entity) == said:
            return
        self._said[entity] = said
        colours = self._colours.setdefault(entity, {})
        if state not in colours:
            colours[state] = LEVELS[level]
            known = rr.StateConfiguration(values=list(colours), colors=list(colours.values()))
            self._log.log(entity, known, static=True)
        self._log.log(entity, rr.StateChange(state=state))
        self._log.log("log", rr.TextLog(f"{node}: {message}", level=_TEXT_LEVELS[level]))

    def pose(self, position: np.ndarray) -> None:
        self._trail.append(position)
        self._log.log("world/arm", rr.Points3D([position], radii=0.008, colors=[255, 255, 255]))
        self._log.log("world/trail", rr.LineStrips3D([list(self._trail)], colors=[150, 150, 150]))

    def target(self, position: np.ndarray) -> None:
        self._log.log("world/target", rr.Points3D([position], radii=0.006, colors=[80, 160, 255]))

    def paths(self, message: MarkerArray) -> None:
        """The line strips of plan/markers, in their colours."""
        lines = [m for m in message.markers if m.type == Marker.LINE_STRIP]
        self._log.log(
            "world/plan",
            rr.LineStrips3D(
                [[(p.x, p.y, p.z) for p in line.points] for line in lines],
                colors=[(m.color.r, m.color.g, m.color.b, m.color.a) for m in lines],
                radii=[m.scale.x / 2 for m in lines],
            ),
        )

    def close(self) -> None:
        self._log.flush()
        self._log.disconnect()

    def _draw_boxes(self, profile: RobotProfile) -> None:
        self._log.log("world", rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
        box = profile.workspace
        self._log.log("world/workspace", _boxes([box], (80, 150, 255)), static=True)
        if profile.keep_out:
            labels = [box.name for box in profile.keep_out]
            boxes = _boxes(list(profile.keep_out), (230, 60, 60), labels)
            self._log.log("world/keep_out", boxes, static=True)


_TEXT_LEVELS = {
    "OK": rr.TextLogLevel.INFO,
    "WARN": rr.TextLogLevel.WARN,
    "ERROR": rr.TextLogLevel.ERROR,
}


def _parts(node: str) -> list[str]:
    """``/lab/arm: gripper`` -> lab, arm, gripper."""
    return re.findall(r"[^/:\s]+", node)


def _boxes(
    boxes: list, colour: tuple[int, int, int], labels: list[str] | None = None
) -> rr.Boxes3D:
    low = np.array([box.min for box in boxes])
    size = np.array([box.max for box in boxes]) - low
    return rr.Boxes3D(mins=low, sizes=size, colors=[colour] * len(boxes), labels=labels)


def layout() -> rrb.Blueprint:
    """Pictures on the left, the arm in the middle, curves, states and words on the right."""
    lately = rrb.VisibleTimeRange(
        TIMELINE,
        start=rr.TimeRangeBoundary.cursor_relative(seconds=-SHOWN_S),
        end=rr.TimeRangeBoundary.cursor_relative(),
    )
    return rrb.Blueprint(
        rrb.Horizontal(
            rrb.Vertical(
                rrb.Horizontal(
                    rrb.Spatial2DView(origin="camera", name="Camera"),
                    rrb.Spatial2DView(origin="goal", name="Goal"),
                ),
                rrb.Spatial2DView(origin="plan", name="Now, goal, imagined end"),
                rrb.Spatial3DView(origin="world", name="Arm, plan, workspace", background=DARK),
                row_shares=[3, 2, 4],
            ),
            rrb.Vertical(
                rrb.TimeSeriesView(
                    origin="distance", name="Distance to the goal, time steps", time_ranges=lately
                ),
                rrb.StateTimelineView(origin="state", name="State of each node"),
                rrb.TimeSeriesView(origin="action", name="Action", time_ranges=lately),
                rrb.TextLogView(origin="log", name="What the nodes say"),
                row_shares=[3, 3, 2, 2],
            ),
            column_shares=[5, 4],
        ),
        rrb.BlueprintPanel(state="collapsed"),
        rrb.SelectionPanel(state="collapsed"),
        rrb.TimePanel(state="collapsed", timeline=TIMELINE, play_state="following"),
        auto_views=False,
    )
