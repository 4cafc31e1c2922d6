"""The rows of the Screen page to take away: plain CSV, a side-car that says what they are, and both as a zip."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import pandas as pd
import streamlit as st

from app import state
from app.screening_view import View
from core.service.screen import Shortlist, with_reasons, zipped


def draw(view: View) -> None:
    """Offer exactly the rows of the table, made on click."""
    rows, told = view.listed, side_car(view)  # a click has no page whose address could be asked for
    name = f"mg-cathodes-{state.reader().release.version}.csv"
    with st.container(horizontal=True, gap="small", key="downloads"):
        st.download_button(
            "Download CSV", data=lambda: csv_text(rows, view).encode(), file_name=name, mime="text/csv",
            icon=":material/download:", on_click="ignore", disabled=rows.empty,
            help="The rows listed above, with the reasons of their verdicts: plain CSV, six significant digits.",
        )  # fmt: skip
        st.download_button(
            "Side-car", data=lambda: _json(told).encode(), file_name=f"{name}.json",
            mime="application/json", icon=":material/description:", on_click="ignore", disabled=rows.empty,
            help="Limits, filters, weights, release, model and data by their hashes, and the link back to these rows.",
        )  # fmt: skip
        st.download_button(
            "Both (zip)", data=lambda: zipped({name: csv_text(rows, view), f"{name}.json": _json(told)}),
            file_name=f"{name}.zip", mime="application/zip", icon=":material/folder_zip:", on_click="ignore",
            disabled=rows.empty,
        )  # fmt: skip


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2) + "\n"


def csv_text(rows: pd.DataFrame, view: View) -> str:
    """Return rows of the page as CSV, with the reasons of their verdicts."""
    told = with_reasons(rows.drop(columns="label", errors="ignore"), view.screening.thresholds)
    return _shortlist(told, view).csv()


def side_car(view: View) -> dict[str, Any]:
    """Return what the CSV does not say: what was asked, of which release, and the link back."""
    query = view.query
    return _shortlist(view.listed, view).side_car() | {
        "what": "magnesium cathode candidates, as listed on the Screen page",
        "capacity_that_counts": view.screening.thresholds.capacity_column,
        "filters": view.filter_words,
        "listed": "all after filters" if query.show_all else "passing all thresholds",
        "polymorphs": "all" if query.polymorphs else "the best of each formula",
        "pareto_front_only": query.pareto,
        "licenses": _LICENSES,
        "url": query.to_url(state.page_url()),
        "downloaded": datetime.now(UTC).isoformat(timespec="seconds"),
    }


_LICENSES: Final = "Materials Project and 3DSC rows CC BY 4.0, GNoME rows CC BY-NC 4.0 (column license)"


def _shortlist(rows: pd.DataFrame, view: View) -> Shortlist:
    told = view.screening
    return Shortlist(
        rows=rows, thresholds=told.thresholds, verdicts=told.verdicts, weights=told.weights,
        release=state.reader().release,
    )  # fmt: skip
