"""Draws docs/watch.png: what a browser shows of `latentplan watch` beside `latentplan demo`.

Needs `pip install playwright` and a chromium on the PATH. Start both commands, then this one; it
takes a picture every few seconds until it is ended, and the newest stays.
"""

import shutil
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

PAGE = "http://127.0.0.1:9090/?url=rerun%2Bhttp%3A%2F%2F127.0.0.1%3A9876%2Fproxy"
SIZE = {"width": 1500, "height": 900}
PICTURES, EVERY_S = 12, 4.0
ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    # A software renderer: there is no screen where pictures for docs are made.
    flags = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        page = browser.new_page(viewport=SIZE)
        page.goto(PAGE)
        for _ in range(PICTURES):
            time.sleep(EVERY_S)
            page.screenshot(path=ROOT / "docs/watch.png", timeout=120_000)
        browser.close()


if __name__ == "__main__":
    main()
