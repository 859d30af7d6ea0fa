"""``latentplan watch``: what it logs, and that a browser shows it."""

import io
import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import Image
from std_msgs.msg import Float32
from visualization_msgs.msg import Marker, MarkerArray

from latentplan_ros.nodes import qos
from latentplan_ros.nodes.pictures import image_message

pytest.importorskip("rerun", reason="needs the extra [watch]")

DRIVERS = Path(__file__).with_name("drivers.py")
MAGENTA = (255, 0, 255)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Watching:
    """A watch node beside drivers, and everything else that it shows, sent from here."""

    def __init__(self, ros, **parameters):
        self.ros, self.port = ros, free_port()
        ros.run([sys.executable, str(DRIVERS), json.dumps({"actions": True})], "drivers")
        ports = {"web_port": self.port, "data_port": free_port()}
        self.node = ros.start("watch", ports | parameters)
        self.reports = ros.listen(DiagnosticArray, "/diagnostics", qos.REPORT)
        self.goal = ros.publisher(Image, "goal/image", qos.GOAL)
        self.plan = ros.publisher(Image, "plan/image", qos.REPORT)
        self.paths = ros.publisher(MarkerArray, "plan/markers", qos.REPORT)
        self.distance = ros.publisher(Float32, "distance", qos.REPORT)
        self.target = ros.publisher(PoseStamped, "target_pose", qos.TARGET)
        self.sent = 0
        ros.every(0.1, self.send)
        ros.wait(lambda: self.said(), 60.0, "the watch node's page")

    def said(self):
        """What the node says of itself, newest last."""
        statuses = [s for r in list(self.reports) for s in r.status]
        return [s.message for s in statuses if s.name == "/watch" and "http" in s.message]

    def send(self):
        stamp = self.ros.stamp()
        picture = np.full((120, 160, 3), MAGENTA, np.uint8)
        self.goal.publish(image_message(picture, stamp, "goal"))
        self.plan.publish(image_message(picture, stamp, "plan"))
        path = Marker(type=Marker.LINE_STRIP, ns="plan")
        target = PoseStamped()
        for z in (0.1, 0.2):
            target.pose.position.z = z
            path.points.append(target.pose.position)
        self.paths.publish(MarkerArray(markers=[path]))
        self.target.publish(target)
        self.distance.publish(Float32(data=float(self.sent)))
        self.sent += 1

    def shown(self):
        """Waits until what has been sent by now has been logged: the node has one thread."""
        self.ros.wait(lambda: self.ros.node.count_subscribers("distance") >= 1, 30.0, "watching")
        sent, reports = self.sent, len(self.said())
        self.ros.wait(lambda: self.sent > sent + 5, 30.0, "messages")
        self.ros.wait(lambda: len(self.said()) > reports + 2, 30.0, "further reports")


def entities(rrd):
    """Entity -> columns, of a file of Rerun's, as its own tool reads it."""
    done = subprocess.run(
        [sys.executable, "-m", "rerun_cli", "rrd", "print", str(rrd)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = {}
    for line in done.stdout.splitlines():
        if line.startswith("Chunk("):
            entity, columns = line.split(" - ")[1:3]
            found.setdefault(entity, set()).update(columns.split("[")[1].rstrip("]").split())
    return found


def test_everything_that_is_to_be_seen_is_logged(ros, tmp_path):
    watching = Watching(ros, save=str(tmp_path / "seen.rrd"))
    watching.shown()
    assert watching.node.stop(20.0) == 0, watching.node.output
    found = entities(tmp_path / "seen.rrd")
    for picture in ("/camera", "/goal", "/plan"):
        assert "EncodedImage:blob" in found[picture]
    for number in ("/distance", "/action"):
        assert "Scalars:scalars" in found[number]
    assert "SeriesLines:names" in found["/action"]
    assert "StateChange:state" in found["/state/watch"]
    assert "TextLog:text" in found["/log"]
    assert "Boxes3D:half_sizes" in found["/world/workspace"]
    for line in ("/world/plan", "/world/trail"):
        assert "LineStrips3D:strips" in found[line]
    for point in ("/world/arm", "/world/target"):
        assert "Points3D:positions" in found[point]


def listening(port):
    """Local addresses, in the kernel's hexadecimal, on which somebody listens on this port."""
    lines = [
        line.split()
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()[1:]
    ]
    local = [line[1].split(":") for line in lines if line[3] == "0A"]
    return {address for address, hexport in local if int(hexport, 16) == port}


def test_only_this_machine_is_served_and_nothing_is_left_behind(ros):
    watching = Watching(ros)
    assert listening(watching.port) == {"0100007F"}
    taken = ros.start("watch", {"web_port": watching.port, "data_port": free_port()}, name="late")
    assert taken.wait(30.0) == 2
    assert f"web_port {watching.port} of 127.0.0.1 can't be used" in taken.output
    watching.node.process.kill()
    ros.wait(lambda: not listening(watching.port), 10.0, "the end of the viewer")


def magenta(png):
    """The share of a screenshot that has the colour of the pictures; JPEG and gamma blur it."""
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR).astype(int)
    b, g, r = picture[..., 0], picture[..., 1], picture[..., 2]
    return float(((r > 200) & (b > 200) & (g < 60)).mean())


def test_a_browser_shows_the_pictures(ros, tmp_path):
    """In headless Chromium: `pip install playwright` and a chromium on the PATH."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs pip install playwright")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("needs a chromium on the PATH")
    watching = Watching(ros)
    page_address = watching.said()[-1].split()[-1]
    flags = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    shares, deadline = [], time.monotonic() + 150.0
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=chromium, args=flags)
        page = browser.new_page(viewport={"width": 1000, "height": 600})
        page.goto(page_address)
        # Goal and plan fill a tenth of the page once they are drawn.
        while not (shares and shares[-1] > 0.03) and time.monotonic() < deadline:
            shares.append(magenta(page.screenshot(timeout=60_000)))
        last = io.BytesIO(page.screenshot(timeout=60_000))
        browser.close()
    (tmp_path / "page.png").write_bytes(last.getvalue())
    assert shares[-1] > 0.03, f"shares of magenta: {shares}, see {tmp_path}/page.png"
