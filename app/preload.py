"""What a page is drawn with, named in the head of its HTML, so that the browser fetches it while the server works.

Streamlit asks for the code of a chart, a table or a component only when the first one arrives: by then the largest
files of all are still to come. A `Link` header (RFC 8288, `modulepreload`) starts them with the page itself.
"""

from functools import lru_cache
from pathlib import Path
from typing import Final

import streamlit

_FOLDER: Final = Path(streamlit.__file__).parent / "static" / "static" / "js"
_CHART: Final = ("PlotlyChart",)
_TABLE: Final = ("DataFrame", "arrowFormatUtils")
_COMPONENT: Final = ("BidiComponent",)
_PARTS: Final = {
    "": (*_CHART, *_TABLE),
    "final": (*_CHART, *_TABLE),
    "candidate": _COMPONENT,
    "dynamics": (*_CHART, *_TABLE),
    "distribution": _CHART,
    "predict": _COMPONENT,
    "accuracy": _CHART,
    "inside": _CHART,
}
"""Names of Streamlit's files by the last part of a page's address."""


def link_header(path: str) -> str:
    """Return the `Link` header of the page at `path`, empty for one that needs nothing large.

    Addresses are relative to the page, as those in Streamlit's own HTML are. A file that this Streamlit does not have
    under that name is left out: it then comes later, as it would without the header.
    """
    names = _PARTS.get(path.rsplit("/", 1)[-1], ())
    files = [f"./static/js/{found}" for name in names if (found := _file(name))]
    if names == _COMPONENT:
        files.append(_viewer())
    return ", ".join(f"<{file}>; rel=modulepreload" for file in files)


@lru_cache
def _file(name: str) -> str:
    """The file's name with the hash that Streamlit's build gave it."""
    return next((path.name for path in _FOLDER.glob(f"{name}.*.js")), "")


def _viewer() -> str:
    from app.components.structure_viewer.bundle import (
        address,
    )  # once a server runs: it registers the component

    return f"./{address()}"
