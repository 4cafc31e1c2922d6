"""Whether the engine of first principles is installed here, and how to get it."""

from importlib import metadata
from importlib.util import find_spec

from core.errors import DftError


def is_available() -> bool:
    """Return whether GPAW and dftd3 are installed."""
    return find_spec("gpaw") is not None and find_spec("dftd3") is not None


def needed(package: str) -> None:
    """Raise `DftError`, which says how to get it, where a package of requirements-dft.txt is not installed."""
    if find_spec(package) is None:
        raise DftError(
            f"{package} is not installed here, which first principles need; `make dft` installs it (it is built "
            "against libxc and OpenBLAS: apt-get install libxc-dev libopenblas-dev libfftw3-dev)."
        )


def engine_words() -> str:
    """Return GPAW with its version; raise `DftError` where it is absent."""
    needed("gpaw")
    return f"GPAW {metadata.version('gpaw')}"
