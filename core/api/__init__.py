"""The service layer over HTTP, on the port of the pages: JSON under `/api`, structures for OPTIMADE under `/optimade`.

    app = create_api()             # FastAPI; `app/server.py` mounts it beside the pages
    app = create_optimade()

Both are read-only but for `predict` and `runs`, which ask the owner's policy (`core.service.policy`).
"""

from core.api.json_api import create_api
from core.api.optimade import create_optimade

__all__ = ["create_api", "create_optimade"]
