"""WordPress as its owner and its visitors use it."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.browser.chromium import Visit


USER = "admin"
PASSWORD = "correct horse battery staple"
EMAIL = "admin@example.org"


@dataclass(frozen=True)
class Post:
    """One post: a title, paragraphs and a picture below them."""

    title: str
    paragraphs: tuple[str, ...]
    picture_name: str
    picture: bytes


def install(visit: Visit, home: str, title: str) -> bool:
    """Fill in the form of the first visit; return whether it was still to be done."""
    page = visit.open(f"{home}/")
    if "/wp-admin/install.php" not in page.url:
        return False
    language = page.locator("#language-continue")
    if language.is_visible():  # only where more than one can be chosen
        language.click()
    page.locator("#weblog_title").fill(title)
    page.locator("#user_login").fill(USER)
    page.locator("#pass1").fill(PASSWORD)
    page.locator("#admin_email").fill(EMAIL)
    page.locator("#blog_public").check()
    page.locator("#submit").click()
    expect(page.locator("a[href$='/wp-login.php']")).to_be_visible()
    return True


def log_in(visit: Visit, home: str) -> None:
    """Log in and stand on the dashboard."""
    page = visit.open(f"{home}/wp-login.php")
    page.locator("#user_login").fill(USER)
    page.locator("#user_pass").fill(PASSWORD)
    page.locator("#wp-submit").click()
    expect(page.locator("#wpadminbar")).to_be_visible()


def write(visit: Visit, home: str, post: Post) -> None:
    """Write and publish *post* in the block editor."""
    page = visit.open(f"{home}/wp-admin/post-new.php")
    canvas = page.frame_locator("iframe[name=editor-canvas]")
    title = canvas.get_by_role("textbox", name="Add title")
    expect(title).to_be_visible()
    close_guide(page)
    title.fill(post.title)
    for paragraph in post.paragraphs:
        page.keyboard.press("Enter")
        page.keyboard.type(paragraph)
    page.keyboard.press("Enter")
    upload(page, canvas, post)
    publish(page)


def close_guide(page: Page) -> None:
    """Close the guide that greets whoever opens the editor for the first time."""
    if page.evaluate(
        "wp.data.select('core/edit-post').isFeatureActive('welcomeGuide')"
    ):
        page.get_by_role("dialog").get_by_role("button", name="Close").click()


def upload(page: Page, canvas: FrameLocator, post: Post) -> None:
    """Put an image block where the cursor is, and the post's picture into it."""
    page.keyboard.type("/image")
    page.get_by_role("option", name="Image", exact=True).click()
    with page.expect_file_chooser() as chooser:
        canvas.get_by_role("button", name="Upload", exact=True).click()
    chooser.value.set_files(
        {
            "name": post.picture_name,
            "mimeType": "image/png",
            "buffer": post.picture,
        }
    )
    # While it is on its way its address is a blob: of the browser's own.
    expect(canvas.locator("figure img[src^=http]")).to_be_visible()


def publish(page: Page) -> None:
    """Press Publish, and once more when asked whether one is sure."""
    page.get_by_role("button", name="Publish", exact=True).click()
    panel = page.get_by_role("region", name="Editor publish")
    panel.get_by_role("button", name="Publish", exact=True).click()
    expect(panel.get_by_role("link", name="View Post")).to_be_visible()


def widths(pictures: Locator) -> dict[str, int]:
    """Return the address of each picture and how wide it came; 0: it did not."""
    loaded: dict[str, int] = {}
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()  # they are lazy
        width = picture.evaluate(
            "i => i.decode().then(() => i.naturalWidth, () => 0)",
        )
        loaded[picture.get_attribute("src") or ""] = int(width)
    return loaded
