"""What the server answers before Streamlit does."""

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app.server import Guard, page_document

BROWSER = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def client() -> Iterator[TestClient]:
    """The guard before a server that answers every path with its name."""

    async def echo(request: object) -> PlainTextResponse:
        return PlainTextResponse(f"below: {request.url.path}")  # type: ignore[attr-defined]

    yield TestClient(Starlette(routes=[Route("/{path:path}", echo)], middleware=[Middleware(Guard)]))


def test_the_document_names_the_server_once_and_before_any_script() -> None:
    text = page_document()
    assert text.count("BACKEND_BASE_URL") == 1
    assert text.index("BACKEND_BASE_URL") < text.index("/static/js/")
    assert "<title>Magnesium cathode explorer</title>" in text


@pytest.mark.parametrize("path", ["/", "/candidate", "/about/", "/candidate?id=mp-1"])
def test_a_page_gets_the_document(client: TestClient, path: str) -> None:
    answer = client.get(path, headers=BROWSER)
    assert "BACKEND_BASE_URL" in answer.text and answer.headers["cache-control"] == "no-cache"
    assert "content-security-policy" in answer.headers and "set-cookie" in answer.headers


@pytest.mark.parametrize(
    "path", ["/api", "/api/docs", "/optimade", "/favicon.png", "/_stcore/health", "/a/b"]
)
def test_nothing_else_does(client: TestClient, path: str) -> None:
    assert client.get(path, headers=BROWSER).text.startswith("below")
    assert client.get("/candidate", headers={"accept": "application/json"}).text == "below: /candidate"
