"""One try at one goal in a running ``reach`` graph on the simulated arm."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import Image
from std_msgs.msg import Float64MultiArray

from latentplan_ros.bringup.client import ClientError, GraphClient
from latentplan_ros.data.images import decode
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.stamps import seconds

START_TOLERANCE = 0.01  # metres; gravity and contact settle within it
STALL_S = 10.0  # without a picture for this long, something has ended


@dataclass(frozen=True)
class Moment:
    """What was seen at one time of a try.

    stamp: the picture's, s; picture: ``uint8 [H,W,3]``; truth: the simulator's, ``float64 [K]``;
    imagined: the end of the newest plan, ``uint8 [S,S,3]``, None before the first plan.
    """

    stamp: float
    picture: np.ndarray
    truth: np.ndarray
    imagined: np.ndarray | None


class Trial:
    """Sets up tries and watches them. Reads ground truth, which no node of the graph does."""

    def __init__(self, client: GraphClient) -> None:
        self.client = client
        self.plan_ms: float | None = None  # median of the latest plans
        self._truth: np.ndarray | None = None
        self._imagined: np.ndarray | None = None
        self._moments: list[Moment] = []
        self._lock = threading.Lock()
        client.listen(Float64MultiArray, "sim_bridge/truth", qos.STATE_IN, self._on_truth)
        client.listen(Image, "camera/image_raw", qos.CAMERA, self._on_picture)
        client.listen(Image, "plan/image", qos.REPORT, self._on_plan)
        client.listen(DiagnosticArray, "/diagnostics", qos.REPORT, self._on_diagnostics)

    def prepare(
        self, kind: str, seed: int, index: int, picture: Path, start_truth: np.ndarray
    ) -> None:
        """Stops arm and planner, puts the simulation at the goal's start, shows the goal's picture;
        the arm then waits for actions again.

        start_truth: what the simulation must report then. Raises ClientError naming the node that
        did not do its part.
        """
        self.client.bring_to("planner", "inactive")
        # An action still on its way would be followed from where the arm was before the reset.
        self.client.trigger("arm/stop")
        self.client.set_parameters("sim_bridge", goal_kind=kind, seed=seed, episode=index)
        self.client.trigger("sim_bridge/reset", seconds=60.0)
        self.client.set_parameters("goal", image=str(picture))
        self._forget()
        self.client.wait(lambda: self._moments, STALL_S, "a camera picture")
        off = float(np.abs(self._moments[-1].truth - start_truth).max())
        if off > START_TOLERANCE:
            raise ClientError(
                f"sim_bridge: {kind} goal {index} starts {off:.3f} from where it must"
            )
        self.client.trigger("arm/resume")

    def run(
        self, duration: float, period: float, on_moment: Callable[[Moment], None]
    ) -> list[Moment]:
        """Lets the planner act for ``duration`` seconds of picture stamps.

        Returns the moment at the start and after each ``period``; ``on_moment`` is called with each
        as it comes. Raises ClientError where pictures stop.
        """
        self.client.bring_to("planner", "active")
        self._forget()
        steps = round(duration / period)
        kept: list[Moment] = []
        heard, deadline = 0, time.monotonic() + STALL_S
        while len(kept) <= steps:
            with self._lock:
                moments, self._moments = self._moments, []
            for moment in moments:
                due = kept[0].stamp + len(kept) * period if kept else moment.stamp
                # Half a camera period early is nearer than half a camera period late.
                if moment.stamp >= due - 0.01 and len(kept) <= steps:
                    kept.append(moment)
                    on_moment(moment)
            if moments:
                heard, deadline = heard + len(moments), time.monotonic() + STALL_S
            if time.monotonic() > deadline:
                raise ClientError(
                    f"no camera picture for {STALL_S:.0f} s, after {heard} of this try"
                )
            time.sleep(0.005)
        self.client.bring_to("planner", "inactive")
        return kept

    def _forget(self) -> None:
        with self._lock:
            self._moments, self._imagined = [], None

    def _on_truth(self, message: Float64MultiArray) -> None:
        self._truth = np.array(message.data)

    def _on_picture(self, message: Image) -> None:
        if self._truth is None:
            return
        picture = decode(message, "camera/image_raw")
        moment = Moment(seconds(message.header.stamp), picture, self._truth, self._imagined)
        with self._lock:
            self._moments.append(moment)

    def _on_plan(self, message: Image) -> None:
        panels = decode(message, "plan/image")
        self._imagined = panels[:, -panels.shape[0] :].copy()

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            values = {item.key: item.value for item in status.values}
            if status.name.endswith("planner") and values.get("plan_ms_median"):
                self.plan_ms = float(values["plan_ms_median"])
