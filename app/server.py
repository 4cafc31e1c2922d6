"""The server: pages, JSON API and OPTIMADE on one port (`streamlit run app/server.py`).

Every page's address gets one document that says where the server is: Streamlit's front end would first look below the
page's own name, as a server behind a path might be, and wait for the error. Every answer carries headers that keep
other sites from framing the pages and the browser from loading what is not ours. Figures of the server itself
(`/_stcore/metrics`) are for this machine alone.
"""

import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    # `streamlit run` puts app/ on the path, not the folder that holds app/ and core/.
    sys.path.insert(0, str(ROOT))

# Now, before any thread: the API brings torch and scipy, which do not survive being imported by two threads at once.
import streamlit  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from starlette.responses import HTMLResponse, PlainTextResponse  # noqa: E402
from starlette.routing import Mount  # noqa: E402
from streamlit.starlette import App  # noqa: E402

from app import preload, state  # noqa: E402
from core.api import create_api, create_optimade  # noqa: E402
from core.service.policy import COOKIE, Visitor  # noqa: E402

HEADERS: Final = {
    # Streamlit's own scripts need inline styles and evaluation, three.js and downloads need blobs.
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}
_HERE: Final = "<script>window.__streamlit = {BACKEND_BASE_URL: new URL('./', location.href).href}</script>"
_OTHERS: Final = frozenset({"/api", "/optimade"})
_METRICS: Final = "/_stcore/metrics"
_YEAR_S: Final = 31_536_000


def page_document() -> str:
    """Return Streamlit's own document with our title and the address of the server in it."""
    text = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    text = text.replace("<title>Streamlit</title>", "<title>Magnesium cathode explorer</title>", 1)
    return text.replace("<head>", f"<head>{_HERE}", 1)


class Guard:
    """ASGI middleware: headers on every answer, a cookie for each browser, pages, no metrics for strangers."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.page = HTMLResponse(page_document(), headers={"cache-control": "no-cache"})

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer a request of ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if scope["path"].endswith(_METRICS) and not _is_local(scope, headers):
            await PlainTextResponse("For this machine alone.", 403)(scope, receive, send)
            return
        extra = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
        if f"{COOKIE}=" not in headers.get("cookie", ""):
            cookie = (
                f"{COOKIE}={secrets.token_urlsafe(24)}; Path=/; Max-Age={_YEAR_S}; HttpOnly; SameSite=Lax"
            )
            extra.append((b"set-cookie", cookie.encode()))

        async def send_with_headers(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *extra, *_links(scope, message)]}
            await send(message)

        answer: Any = self.page if _is_page(scope, headers) else self.app
        await answer(scope, receive, send_with_headers)


def _is_page(scope: dict[str, Any], headers: dict[str, str]) -> bool:
    """Return whether a browser asks for a page: they lie one below the root, and their names hold no dot."""
    path = scope["path"].rstrip("/")
    is_one = path.count("/") <= 1 and "." not in path and path not in _OTHERS
    return is_one and scope["method"] == "GET" and "text/html" in headers.get("accept", "")


def _links(scope: dict[str, Any], message: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    """For a page the header that names what it will be drawn with."""
    is_page = any(name == b"content-type" and b"html" in value for name, value in message["headers"])
    link = preload.link_header(scope["path"]) if is_page else ""
    return [(b"link", link.encode())] if link else []


def _is_local(scope: dict[str, Any], headers: dict[str, str]) -> bool:
    client = scope.get("client")
    return Visitor.of(headers, client[0] if client else None, {}).is_local


@asynccontextmanager
async def warming_up(_: App) -> AsyncIterator[None]:
    """Load what pages share in the background, from the server's start on."""
    state.warm_up()
    yield


app = App(
    ROOT / "app" / "main.py",
    routes=[Mount("/api", create_api()), Mount("/optimade", create_optimade())],
    middleware=[Middleware(Guard)],
    lifespan=warming_up,
)
