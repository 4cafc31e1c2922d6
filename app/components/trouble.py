"""What a page shows when something is missing: the reason and the remedy, never a stack trace."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from app.theme import safe
from core.errors import ExplorerError, StoreError

P = ParamSpec("P")
_log = logging.getLogger(__name__)


def guarded(body: Callable[P, None]) -> Callable[P, None]:
    """Return `body` with any error turned into a page for a person; details of unexpected ones go to the log."""

    @wraps(body)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            body(*args, **kwargs)
        except StoreError as error:
            show_database_error(error)
        except ExplorerError as error:
            st.error(safe(error), icon=":material/error:")
        except Exception:
            _log.exception("A page failed")
            show_unexpected_error()

    return run


def show_database_error(error: StoreError) -> None:
    """Draw the page that stands in for all others while there is no release to read."""
    st.title("The database cannot be read", anchor=False)
    st.error(safe(error), icon=":material/database_off:")
    st.markdown(
        "All pages read one file, the release that the folder `precomputed` names in its `manifest.json`. "
        "To bring it back, do one of the following, then reload this page:\n\n"
        "- restore the shipped release: `git checkout -- precomputed`\n"
        "- build a new one from the reference data: `python -m core build --data ../shared/data`\n"
        "- point the environment variable `MGC_PRECOMPUTED` to a folder that holds a release"
    )


def show_unexpected_error() -> None:
    """Draw what a person reads after a fault in the explorer itself."""
    st.error(
        "This part of the page could not be drawn because of a fault in the explorer. Reload the page; if it "
        "stays, the server's log names the cause.",
        icon=":material/error:",
    )
