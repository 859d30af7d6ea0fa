"""The life of a node's process: a signal ends it between two callbacks, never within one."""

import signal
import sys

import pytest

NODE = """
import os, signal, sys, time
import rclpy.node
from latentplan_ros.nodes.process import run

class Careful(rclpy.node.Node):
    def __init__(self):
        super().__init__("careful")
        self.create_timer(0.01, self.on_tick)

    def on_tick(self):
        print("begun", flush=True)
        os.kill(os.getpid(), {number})
        for _ in range(1000):
            time.sleep(1e-4)
        print("finished", flush=True)

    def close(self):
        os.kill(os.getpid(), {number})
        for _ in range(1000):
            time.sleep(1e-4)
        print("closed", flush=True)

sys.exit(run(Careful))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cuts_neither_a_callback_nor_the_closing(ros, number):
    node = ros.run([sys.executable, "-c", NODE.format(number=int(number))], "careful")
    assert node.wait(20.0) == 0, node.output
    assert [line for line in node.output.split() if line in ("begun", "finished", "closed")] == [
        "begun",
        "finished",
        "closed",
    ]
    assert "Traceback" not in node.output
