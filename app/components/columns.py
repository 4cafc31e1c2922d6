"""Columns of Streamlit tables, made from `core.quantities`: the one place where a quantity becomes a column."""

from collections.abc import Collection, Sequence
from typing import Any

import streamlit as st

from core.quantities import QUANTITIES, Quantity

WIDE = frozenset({"reason", "error", "note"})
"""Columns of whole sentences."""


def column_config(
    names: Sequence[str], *, pinned: Collection[str] = (), max_chars: int | None = None
) -> dict[str, Any]:
    """Return the columns of a table in the order of their names; `pinned` ones stay in sight when it scrolls.

    `max_chars`: of what may be typed into a text.
    """
    return {name: _column(QUANTITIES[name], pinned=name in pinned, max_chars=max_chars) for name in names}


def _column(quantity: Quantity, *, pinned: bool, max_chars: int | None) -> Any:
    shared: dict[str, Any] = {"help": quantity.help or None, "pinned": pinned or None}
    if quantity.unit == "%":
        return st.column_config.ProgressColumn(
            quantity.head, format=f"{_printf(quantity.format)} %%", min_value=0.0, max_value=100.0, **shared
        )
    if quantity.kind == "number":
        return st.column_config.NumberColumn(quantity.head, format=_printf(quantity.format), **shared)
    if quantity.kind == "flag":
        return st.column_config.CheckboxColumn(quantity.head, **shared)
    return st.column_config.TextColumn(
        quantity.head, width="large" if quantity.name in WIDE else None, max_chars=max_chars, **shared
    )


def _printf(format: str) -> str:
    """Return how Streamlit writes what Python writes with `format`; counts in the reader's own grouping."""
    if format.endswith("%"):
        return "percent"
    return "localized" if format == ",d" else f"%{format.replace(',', '')}"
