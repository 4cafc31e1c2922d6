"""The notebook in `docs/` runs from the first cell to the last, and is kept without its outputs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path("docs") / "explorer.ipynb"


def test_it_is_kept_without_outputs(root: Path) -> None:
    book = nbformat.read(root / NOTEBOOK, as_version=4)
    nbformat.validate(book)
    assert [cell.id for cell in book.cells if cell.cell_type == "code" and cell.outputs] == []
    assert all(cell.execution_count is None for cell in book.cells if cell.cell_type == "code")


@pytest.mark.slow
def test_every_cell_runs(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MGC_URL", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(root))
    book = nbformat.read(root / NOTEBOOK, as_version=4)
    NotebookClient(book, timeout=200, resources={"metadata": {"path": str(root / "docs")}}).execute()
    shown = "".join(str(cell.get("outputs", "")) for cell in book.cells)
    assert "make next" in shown and "V apart on average" in shown and "Ah/L that the redox metals" in shown
