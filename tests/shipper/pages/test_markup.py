from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given, strategies as st

from shipper.pages.markup import Html, join, tag


def test_elements() -> None:
    assert tag("p", "a < b", tag("b", "&"), class_="x y", hidden=False) == (
        '<p class="x y">a &lt; b<b>&amp;</b></p>'
    )
    assert tag("input", type="search", aria_label='"', disabled=True) == (
        '<input type="search" aria-label="&quot;" disabled>'
    )
    assert join("<", Html("<br>")) == "&lt;<br>"


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(alphabet="<>&\"'=/ abc!-") | st.text())
def test_no_text_becomes_an_element_or_an_attribute(text: str) -> None:
    parser = Elements()
    parser.feed(tag("p", text, title=text))
    parser.close()
    assert parser.found == [("p", {"title": text})]
    assert parser.text == text
