"""No pin below the version that mended a known vulnerability (`make audit` asks for new ones); no root in the image."""

import re
from pathlib import Path

import pytest

FIXED_IN = {"streamlit": (1, 54), "pymatgen": (2025, 10, 7)}
"""The first versions without the vulnerabilities known when the pins were chosen."""


@pytest.mark.parametrize(("package", "fixed_in"), FIXED_IN.items())
def test_pins_are_past_known_vulnerabilities(root: Path, package: str, fixed_in: tuple[int, ...]) -> None:
    pin = re.search(rf"^{package}==([\d.]+)", (root / "requirements.txt").read_text(), flags=re.MULTILINE)
    assert pin is not None
    assert tuple(int(part) for part in pin[1].split(".")) >= fixed_in


def test_container_runs_without_root_and_says_whether_it_is_well(root: Path) -> None:
    steps = (root / "Dockerfile").read_text()
    users = re.findall(r"^USER (\S+)", steps, flags=re.MULTILINE)
    assert users
    assert users[-1] not in {"root", "0"}
    assert "/_stcore/health" in steps.partition("HEALTHCHECK")[2]
    assert steps.index("USER") < steps.index("\nCMD")
