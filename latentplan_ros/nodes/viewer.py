"""Rerun's own viewer, served to browsers by a process of its own."""

import contextlib
import ctypes
import importlib.util
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

READY_S = 30.0
MEMORY = "512MB"  # the oldest pictures are forgotten first
_PR_SET_PDEATHSIG = 1


class ViewerError(RuntimeError):
    """The viewer cannot be served; the message says why and what to change."""


class Viewer:
    """``rerun --serve-web`` on ``bind``; ends with this process, whatever ends that.

    Not ``rerun.serve_grpc``: that listens on every interface, and what a lab's camera sees is
    nobody else's business. web_port: of the page; data_port: where the page and the log find each
    other. ``page``: what to open in a browser; ``data``: what to log to. Raises ViewerError.
    """

    def __init__(self, bind: str, web_port: int, data_port: int) -> None:
        for name, port in (("web_port", web_port), ("data_port", data_port)):
            _require_free(bind, name, port)
        host = f"[{bind}]" if ":" in bind else bind
        self.data = f"rerun+http://{host}:{data_port}/proxy"
        self.page = f"http://{host}:{web_port}/?url={quote(self.data, safe='')}"
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the process
        self._process = subprocess.Popen(
            [
                _executable(),
                *("--serve-web", "--bind", bind),
                *("--port", str(data_port), "--web-viewer-port", str(web_port)),
                *("--server-memory-limit", MEMORY),
                "--newest-first",  # whoever comes late wants to see now, not the beginning
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            start_new_session=True,  # Ctrl-C reaches the node first, which has a log to end
            preexec_fn=_die_with_parent,
        )
        try:
            self._await_ready(bind, (web_port, data_port))
        except BaseException:
            self.close()
            raise

    def _await_ready(self, bind: str, ports: tuple[int, int]) -> None:
        deadline = time.monotonic() + READY_S
        for port in ports:
            while not _answers(bind, port):
                if self._process.poll() is not None:
                    self._said.seek(0)
                    said = self._said.read().decode(errors="replace").strip()
                    raise ViewerError(f"rerun ended: {said[-300:]}")
                if time.monotonic() > deadline:
                    raise ViewerError(f"rerun does not answer on port {port} after {READY_S:g} s")
                time.sleep(0.05)

    def close(self) -> None:
        """Ends the process. Browsers keep what they have."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2.0)
        self._process.kill()
        self._process.wait()
        self._said.close()


def _executable() -> str:
    """The viewer itself: the command of the same name is a script that outlives a kill of it."""
    spec = importlib.util.find_spec("rerun_cli")
    if spec is None or spec.origin is None:
        raise ViewerError("rerun_cli is not installed: pip install 'latentplan_ros[watch]'")
    return str(Path(spec.origin).with_name("rerun"))


def _require_free(bind: str, name: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except OSError as error:
            raise ViewerError(
                f"{name} {port} of {bind} can't be used ({error.strerror}); choose another, or end "
                "the other latentplan watch"
            ) from None


def _answers(bind: str, port: int) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)
    try:
        socket.create_connection((host, port), 1.0).close()
    except OSError:
        return False
    return True


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
