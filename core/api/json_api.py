"""The JSON API: one FastAPI application, errors as JSON with the words that pages show."""

from typing import Final

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline

from core.api import calculations, candidates
from core.api.same_site import refuse_other_sites
from core.errors import (
    ExplorerError,
    NotAllowedError,
    StoreError,
    UnknownCalculationError,
    UnknownCandidateError,
    UnknownJobError,
)

_STATUS: Final[tuple[tuple[type[ExplorerError], int], ...]] = (
    (UnknownCandidateError, 404),
    (UnknownCalculationError, 404),
    (UnknownJobError, 404),
    (NotAllowedError, 403),
    (StoreError, 503),
    (ExplorerError, 422),
)
"""The first that fits: what is not there, not allowed, not to be had now, else a request that cannot be met."""

DESCRIPTION: Final = """\
Magnesium cathode candidates with all that was calculated about them: the same search, figures and verdicts as on the
pages and in `python -m core export`. Units stand in the names: `voltage_v`, `capacity_vol_ah_per_l`. A figure of null
is not known. Every row names its licence; rows of GNoME are CC BY-NC 4.0.
"""


def create_api() -> FastAPI:
    """Return the application to mount under `/api`; it documents itself under `/api/docs`, from files of its own."""
    app = FastAPIOffline(
        title="Magnesium cathode explorer",
        version="1",
        description=DESCRIPTION,
        redoc_url=None,
        static_url="/docs-files",
        dependencies=[Depends(refuse_other_sites)],
    )
    app.include_router(candidates.router, prefix="/v1")
    app.include_router(calculations.router, prefix="/v1")

    @app.exception_handler(ExplorerError)
    def refuse(request: Request, error: ExplorerError) -> JSONResponse:
        """What goes wrong is an `ExplorerError`, whose words a user reads."""
        status = next(status for kind, status in _STATUS if isinstance(error, kind))
        return JSONResponse({"error": type(error).__name__, "detail": str(error)}, status)

    return app
