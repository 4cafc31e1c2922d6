"""No pin below the version that mended a known vulnerability (`make audit` asks for new ones); no root in the image."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FIXED_IN = {"streamlit": (1, 54), "pymatgen": (2025, 10, 7)}
"""The first versions without the vulnerabilities known when the pins were chosen."""


@pytest.mark.parametrize(("package", "fixed_in"), FIXED_IN.items())
def test_pins_are_past_known_vulnerabilities(root: Path, package: str, fixed_in: tuple[int, ...]) -> None:
    pin = re.search(rf"^{package}==([\d.]+)", (root / "requirements.txt").read_text(), flags=re.MULTILINE)
    assert pin is not None
    assert tuple(int(part) for part in pin[1].split(".")) >= fixed_in


def test_how_pins_are_kept_current_is_stated_for_each_list_of_them(root: Path) -> None:
    stated = (root / "CONTRIBUTING.md").read_text().partition("## Pins")[2]
    lists = [path.name for path in root.glob("requirements*.txt")]
    assert len(lists) >= 5 and not [name for name in lists if name not in stated]
    assert "make audit" in stated and "npm audit" in stated
    assert (root / "app" / "components" / "structure_viewer" / "package-lock.json").is_file()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-test.txt"])
def test_direct_dependencies_are_pinned_exactly_each_with_its_work(root: Path, name: str) -> None:
    lines = [line for line in (root / name).read_text().splitlines() if line and line[0] not in "#-"]
    assert lines and not [line for line in lines if not re.match(r"[\w.\[\],-]+==[\w.+]+(\s|;|$)", line)]


def test_an_audit_without_a_network_says_that_nothing_was_audited(root: Path, tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    variables = {"VENV": sys.prefix, "AUDIT_VENV": str(tmp_path / "audit")}
    variables |= {name: nowhere for name in ("https_proxy", "HTTPS_PROXY")}
    done = subprocess.run(
        ["sh", str(root / "scripts" / "audit.sh")], cwd=tmp_path, env=os.environ | variables,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "NOTHING WAS AUDITED" in done.stderr
    assert not list(tmp_path.iterdir())


def test_container_runs_without_root_and_says_whether_it_is_well(root: Path) -> None:
    steps = (root / "Dockerfile").read_text()
    users = re.findall(r"^USER (\S+)", steps, flags=re.MULTILINE)
    assert users
    assert users[-1] not in {"root", "0"}
    assert "/_stcore/health" in steps.partition("HEALTHCHECK")[2]
    assert steps.index("USER") < steps.index("\nCMD")
