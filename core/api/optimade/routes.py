"""The endpoints of OPTIMADE 1.2: versions, info, links, structures."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException

import core
from core.api.optimade.filters import BadFilterError, UnsupportedFilterError, parsed_filter
from core.api.optimade.properties import OURS, PREFIX, PROPERTIES, Row, arrays_of, rows_of
from core.errors import ExplorerError
from core.service.release import current_reader

API_VERSION: Final = "1.2.0"
MAX_PAGE: Final = 500
_SCALARS: Final = ("string", "integer", "float", "timestamp", "boolean")
_JSON_API: Final = "application/vnd.api+json"

router = APIRouter()


def create_optimade() -> FastAPI:
    """Return the application to mount under `/optimade`."""
    app = FastAPI(
        title="Magnesium cathode explorer, OPTIMADE", docs_url=None, redoc_url=None, openapi_url=None
    )

    @app.get("/versions")
    def versions() -> PlainTextResponse:
        """Return the major versions that are served."""
        return PlainTextResponse("version\n1\n", media_type="text/csv; header=present")

    for prefix in ("/v1", "/v1.2", f"/v{API_VERSION}"):
        app.include_router(router, prefix=prefix)

    @app.exception_handler(ExplorerError)
    def refuse(request: Request, error: ExplorerError) -> JSONResponse:
        """Say what is wrong in OPTIMADE's form."""
        status = {BadFilterError: 400, UnsupportedFilterError: 501}.get(type(error), 503)
        return _errors(request, status, str(error))

    @app.exception_handler(RequestValidationError)
    def refuse_query(request: Request, error: RequestValidationError) -> JSONResponse:
        """A number that is none, or out of range."""
        first = error.errors()[0]
        return _errors(request, 400, f"{first['loc'][-1]}: {first['msg']}")

    @app.exception_handler(HTTPException)
    def refuse_other(request: Request, error: HTTPException) -> JSONResponse:
        """What was refused on the way, and endpoints that there are not."""
        return _errors(request, error.status_code, str(error.detail))

    return app


@router.get("/info")
def info(request: Request) -> JSONResponse:
    """Return what this server is."""
    url = _base(request)
    attributes = {
        "api_version": API_VERSION,
        "available_api_versions": [{"url": url, "version": API_VERSION}],
        "formats": ["json"],
        "available_endpoints": ["info", "links", "structures"],
        "entry_types_by_format": {"json": ["structures"]},
        "is_index": False,
    }
    return _answer(request, {"id": "/", "type": "info", "attributes": attributes})


@router.get("/info/structures")
def info_structures(request: Request) -> JSONResponse:
    """Return the properties of structures."""
    properties = {
        name: {"description": it.description, "type": it.type, "sortable": it.type in _SCALARS}
        | ({"unit": it.unit} if it.unit else {})
        for name, it in PROPERTIES.items()
    }
    data = {
        "id": "structures", "type": "info", "formats": ["json"], "properties": properties,
        "description": "Candidates for cathodes of magnesium batteries, with predicted voltages.",
        "output_fields_by_format": {"json": list(PROPERTIES)},
    }  # fmt: skip
    return _answer(request, data)


@router.get("/links")
def links(request: Request) -> JSONResponse:
    """Return this server itself, and the list of all providers."""
    data = [
        _link("mgc", "Magnesium cathode explorer", "This database.", _base(request, version=False), "root"),
        _link("optimade", "OPTIMADE", "All known providers.", "https://providers.optimade.org", "providers"),
    ]
    return _answer(request, data, n_available=2)


@router.get("/structures")
def structures(
    request: Request,
    filter: str = "",
    response_fields: str = "",
    response_format: str = "json",
    sort: str = "",
    include: str = "",
    page_limit: Annotated[int, Query(ge=0)] = 20,
    page_offset: Annotated[int, Query(ge=0)] = 0,
) -> JSONResponse:
    """Return the structures that a filter lets through, a page of them."""
    _check(response_format, include)
    if page_limit > MAX_PAGE:
        raise HTTPException(403, f"page_limit is {page_limit}; {MAX_PAGE} are possible.")
    fields = _fields(response_fields)
    test, rows = parsed_filter(filter), _rows()
    found = _sorted([row for row in rows.values() if test(row) is True], sort)
    page = found[page_offset : page_offset + page_limit]
    end = page_offset + page_limit
    more = end < len(found) and page_limit > 0
    data = [_entry(row, fields) for row in page]
    query = urlencode({**request.query_params, "page_offset": end})
    following = f"{_base(request)}/structures?{query}" if more else None
    return _answer(
        request, data, links={"next": following}, n_available=len(rows), n_returned=len(found), more=more,
        warnings=_warnings(fields),
    )  # fmt: skip


@router.get("/structures/{id:path}")
def structure(
    request: Request, id: str, response_fields: str = "", response_format: str = "json", include: str = ""
) -> JSONResponse:
    """Return one structure; null where there is none of this id."""
    _check(response_format, include)
    rows = _rows()
    data = _entry(rows[id], _fields(response_fields)) if id in rows else None
    return _answer(request, data, n_available=len(rows), n_returned=int(id in rows))


def _rows() -> dict[str, Row]:
    return _rows_of_release(current_reader().release.sha256)


@lru_cache(maxsize=2)
def _rows_of_release(sha256: str) -> dict[str, Row]:
    return {row["id"]: row for row in rows_of(current_reader())}


def _entry(row: Row, fields: frozenset[str]) -> dict[str, Any]:
    wanted = fields or frozenset(PROPERTIES)
    known = row
    if any(not PROPERTIES[name].is_queryable for name in wanted if name in PROPERTIES):
        known = row | arrays_of(current_reader().crystal(row["id"]))
    attributes = {name: known.get(name) for name in sorted(wanted - {"id", "type"})}
    return {"id": row["id"], "type": row["type"], "attributes": attributes}


def _fields(text: str) -> frozenset[str]:
    """The properties asked for; none of ours that there is not, while those of other providers are null."""
    names = frozenset(it.strip() for it in text.split(",") if it.strip())
    for name in sorted(names - PROPERTIES.keys()):
        if not name.startswith("_") or name.startswith(f"_{PREFIX}_"):
            raise BadFilterError(
                f"response_fields: there is no property {name}; /info/structures lists them."
            )
    return names


def _warnings(fields: frozenset[str]) -> list[dict[str, str]]:
    return [
        {"type": "warning", "title": "Unknown property", "detail": f"{name} is known of no entry here."}
        for name in sorted(fields - PROPERTIES.keys())
    ]


def _sorted(rows: list[Row], sort: str) -> list[Row]:
    """In the order asked for, entries of unknown value last either way."""
    for part in reversed([it.strip() for it in sort.split(",") if it.strip()]):
        name, falls = part.removeprefix("-"), part.startswith("-")
        if name not in PROPERTIES or PROPERTIES[name].type not in _SCALARS:
            raise BadFilterError(f"sort: {name} cannot be sorted by; /info/structures says what can.")
        known = sorted(
            (row for row in rows if row[name] is not None), key=lambda row: row[name], reverse=falls
        )
        rows = known + [row for row in rows if row[name] is None]
    return rows


def _check(response_format: str, include: str) -> None:
    if response_format != "json":
        raise BadFilterError(f"response_format {response_format!r}; json is served.")
    if include not in ("", "references"):
        raise BadFilterError(f"include {include!r}; there are no relations to include.")


def _answer(
    request: Request, data: Any, *, links: Mapping[str, Any] | None = None, n_available: int = 1,
    n_returned: int | None = None, more: bool = False, warnings: list[dict[str, str]] | None = None,
) -> JSONResponse:  # fmt: skip
    count = n_returned if n_returned is not None else len(data) if isinstance(data, list) else 1
    meta = _meta(request) | {
        "data_available": n_available, "data_returned": count, "more_data_available": more, "warnings": warnings or [],
    }  # fmt: skip
    content = {"data": data, "meta": meta} | ({} if links is None else {"links": links})
    return JSONResponse(content, media_type=_JSON_API)


def _errors(request: Request, status: int, detail: str) -> JSONResponse:
    titles = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 501: "Not Implemented"}
    error = {"status": str(status), "title": titles.get(status, "Error"), "detail": detail}
    content = {"errors": [error], "meta": _meta(request) | {"more_data_available": False}}
    return JSONResponse(content, status, media_type=_JSON_API)


def _meta(request: Request) -> dict[str, Any]:
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    for prefix in (f"/v{API_VERSION}", "/v1.2", "/v1"):
        path = path.removeprefix(prefix)
    query = f"?{request.url.query}" if request.url.query else ""
    return {
        "query": {"representation": f"{path}{query}"},
        "api_version": API_VERSION,
        "time_stamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "provider": {
            "name": "Magnesium cathode explorer", "prefix": PREFIX,
            "description": f"Candidates for magnesium cathodes; {', '.join(sorted(OURS))} as _{PREFIX}_ fields.",
        },
        "implementation": {"name": "mgcathodes", "version": core.__version__},
    }  # fmt: skip


def _base(request: Request, *, version: bool = True) -> str:
    root = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"
    return f"{root}/v1" if version else root


def _link(id: str, name: str, description: str, url: str, link_type: str) -> dict[str, Any]:
    attributes = {
        "name": name, "description": description, "base_url": url, "homepage": None, "link_type": link_type
    }  # fmt: skip
    return {"id": id, "type": "links", "attributes": attributes}
