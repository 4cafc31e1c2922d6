"""A clickable periodic table: each element is neutral, must be contained, or must not be contained."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import streamlit as st

from app.components.elements import NAME, POSITION

_HERE = Path(__file__).parent
_HTML = """
<div class="grid" role="group" aria-label="Periodic table of element conditions"></div>
<div class="legend"><span><i class="key required"></i>must contain</span>
<span><i class="key forbidden"></i>must not contain</span><span>click again to change</span></div>
"""
_mount = st.components.v2.component(
    "periodic_table",
    html=_HTML,
    css=(_HERE / "periodic_table.css").read_text(encoding="utf-8"),
    js=(_HERE / "periodic_table.js").read_text(encoding="utf-8"),
)


def periodic_table(
    counts: Mapping[str, int],
    *,
    total: int,
    required: Sequence[str],
    forbidden: Sequence[str],
    revision: int,
    key: str,
    on_change: Callable[[], None],
) -> None:
    """Draw the table; `st.session_state[key]["choice"]` then holds the lists `required` and `forbidden`.

    `counts`: candidates that hold each element, of `total`; absent elements and those in every candidate cannot be
    clicked. `revision` must change whenever the caller, not the user, changed the choice.
    """
    elements = [
        {
            "symbol": symbol,
            "name": NAME[symbol],
            "row": row,
            "column": column,
            "count": counts.get(symbol, 0),
            "fixed": total > 0 and counts.get(symbol, 0) == total,
        }
        for symbol, (row, column) in POSITION.items()
    ]
    data = {
        "elements": elements,
        "table": f"{total}:{len(counts)}",
        "required": list(required),
        "forbidden": list(forbidden),
        "revision": revision,
    }
    _mount(key=key, data=data, on_choice_change=on_change)


def read_choice(value: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return (required, forbidden) from the component's state, keeping only known elements, in alphabetical order."""
    choice = value.get("choice") if isinstance(value, Mapping) else None
    lists = choice if isinstance(choice, Mapping) else {}
    required = {symbol for symbol in lists.get("required", ()) if symbol in POSITION}
    forbidden = {symbol for symbol in lists.get("forbidden", ()) if symbol in POSITION} - required
    return tuple(sorted(required)), tuple(sorted(forbidden))
