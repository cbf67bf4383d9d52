"""What the pictures show: a post, its picture and visitors, the same every time."""

from __future__ import annotations

import math
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from tests.browser.chromium import Visit
from tests.browser.wordpress import Post


TITLE = "Harbour Notes"
PICTURE = (960, 420)
PAGES = ("/", "/?p=1", "/?page_id=2", "/wp-includes/css/dashicons.min.css")
MISSING = "/?p=404404"
PARAGRAPH = (
    "They come in every evening at seven, in the same order, and nobody has ever seen "
    "them leave."
)
EXPRESSION = "sum by (status) (rate(nginx_http_response_count_total[1m]))"
# The harbour in the evening: sky, sun and its reflection, hills, boats.
DRAWING = """
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 420">
  <defs><linearGradient id="sky" x2="0" y2="1">
    <stop stop-color="#2b4c7e"/><stop offset=".6" stop-color="#f0a868"/>
    <stop offset="1" stop-color="#f7d9a0"/>
  </linearGradient></defs>
  <rect width="960" height="420" fill="url(#sky)"/>
  <circle cx="620" cy="240" r="46" fill="#fff2cf"/>
  <path d="M0 250 Q120 170 260 235 Q380 285 560 270 L0 270Z" fill="#3f4f68"/>
  <path d="M700 262 Q820 190 960 240 L960 270 L700 270Z" fill="#51617a"/>
  <rect y="265" width="960" height="155" fill="#24466b"/>
  <path d="M580 290h80m-95 24h110m-90 24h70m-85 24h100" stroke="#f7d9a0"
    stroke-width="5" stroke-linecap="round" opacity=".7"/>
  <path d="M846 262V150h24v112Z" fill="#f4f1ea"/>
  <path d="M846 180h24v24h-24zM846 228h24v24h-24z" fill="#c8553d"/>
  <path d="M842 150h32l-16-22z" fill="#7d2e22"/>
  <g id="boat"><path d="M150 330h130l-22 34h-86z" fill="#c8553d"/>
    <path d="M212 326V210l60 116z" fill="#f4f1ea"/>
    <path d="M206 326V226l-44 100z" fill="#dfe6ee"/></g>
  <use href="#boat" transform="translate(290 120) scale(.6)"/>
  <use href="#boat" transform="translate(560 172) scale(.4)"/>
</svg>
"""


def post(visit: Visit) -> Post:
    """Return the post, with the picture that the visit's own browser draws of it."""
    return Post(
        title="Three boats and a lighthouse",
        paragraphs=(PARAGRAPH,),
        picture_name="harbour.png",
        picture=draw(visit),
    )


def draw(visit: Visit) -> bytes:
    """Return the drawing as PNG."""
    page = visit.page.context.new_page()
    try:
        page.set_viewport_size({"width": PICTURE[0], "height": PICTURE[1]})
        page.set_content(f"<body style='margin:0'>{DRAWING}</body>")
        return page.screenshot()
    finally:
        page.close()


@contextmanager
def visitors(home: str) -> Iterator[None]:
    """Let visitors come in waves, the same ones each time, while the block runs."""
    stop = threading.Event()

    def come() -> None:
        second = 0
        while not stop.wait(1):
            for number in range(wave(second)):
                ask(home + PAGES[(second + number) % len(PAGES)])
            if second % 5 == 0:
                ask(home + MISSING)
            second += 1

    thread = threading.Thread(target=come)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def wave(second: int) -> int:
    """Return how many come in this *second*: two to ten, a wave each minute."""
    return round(6 + 4 * math.sin(second * math.tau / 60))


def ask(url: str) -> None:
    """Load *url*; that a page is missing is part of the picture."""
    try:
        urllib.request.urlopen(url, timeout=30).close()
    except urllib.error.HTTPError as error:
        error.close()
