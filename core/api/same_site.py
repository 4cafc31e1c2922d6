"""Keeps pages of other sites from acting through a visitor's browser.

A browser sends its cookie, and comes from its own machine, whoever wrote the page that asks. It says where that page
came from, in headers that the page cannot change; programs send neither and are asked nothing.
"""

from typing import Final
from urllib.parse import urlsplit

from fastapi import Request

from core.errors import NotAllowedError

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN: Final = frozenset({"same-origin", "none"})


def refuse_other_sites(request: Request) -> None:
    """Raise `NotAllowedError` for a request that changes or computes something on behalf of another site's page.

    `Sec-Fetch-Site` decides where it is sent; elsewhere (plain HTTP) the host of `Origin` must be the one asked.
    """
    if request.method in _READING:
        return
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    is_own = site in _OWN if site is not None else origin is None or _is_asked(origin, request)
    if not is_own:
        raise NotAllowedError(
            f"A page of {origin or 'another site'} asked for this; only pages of this server and programs may. Where a "
            "proxy stands between, it must hand on the Host that the browser asks for."
        )


def _is_asked(origin: str, request: Request) -> bool:
    asked = {request.headers.get("host"), request.headers.get("x-forwarded-host")}
    return urlsplit(origin).netloc in asked - {None, ""}
