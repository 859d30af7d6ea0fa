"""PSRL on the DeepMind Control Suite, beside pixel SAC and CURL: ``python -m benchmarks.dmc``."""

import os

import latentplan_ros.sim  # noqa: F401 - chooses MuJoCo's renderer before anything imports MuJoCo

# Mesa's software renderer in the thread that asks: for pictures of 100 x 100 its own threads cost
# more than they save.
os.environ.setdefault("LP_NUM_THREADS", "0")
