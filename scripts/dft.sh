#!/bin/sh
# Installs requirements-dft.txt into $VENV, once: dft.sh STAMP. GPAW is built here against libxc, OpenBLAS and, where it is
# there, FFTW. Exits 3, with what is missing, where the libraries are absent and cannot be installed by us.
set -eu
stamp=$1
venv=${VENV:-.venv}
needed="g++ python3-dev libxc-dev libopenblas-dev libfftw3-dev"

say() { echo "dft: $*" >&2; }

if [ -f "$stamp" ] && "$venv/bin/python" -c 'import gpaw, dftd3' 2>/dev/null; then
    exit 0
fi

# has HEADER LIBRARY: whether a program that uses both compiles.
has() {
    printf '#include <%s>\nint main() { return 0; }\n' "$1" | g++ -xc++ - -o /dev/null "-l$2" 2>/dev/null
}
complete() { has xc.h xc && has cblas.h openblas; }

if ! { complete && has fftw3.h fftw3; } && command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
    say "installing Debian's $needed"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086  # a list of packages
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends $needed; } >&2 || true
fi
if ! complete; then
    say "GPAW needs a C++ compiler, libxc and OpenBLAS; on Debian and Ubuntu, as root: apt-get install $needed"
    exit 3
fi

configuration=$(mktemp)
trap 'rm -f "$configuration"' EXIT
{
    echo "mpi = False"
    echo "compiler = 'g++'" # its .c files are C++; Python's own compiler may be a C compiler
    echo "libraries = ['xc', 'openblas']"
    if has fftw3.h fftw3; then
        echo "fftw = True"
        echo "libraries += ['fftw3']"
    else
        say "without FFTW, on numpy's slower transforms; for it: apt-get install libfftw3-dev, pip uninstall gpaw, make dft"
    fi
} >"$configuration"

# No cache: a wheel that pip kept from an earlier build may lack what this one is built with.
say "installing requirements-dft.txt (about two minutes)"
GPAW_CONFIG="$configuration" "$venv/bin/python" -m pip install --disable-pip-version-check --no-cache-dir \
    -r requirements.txt -r requirements-dft.txt

rm -f "${stamp%-*}"-*
touch "$stamp"
say "done"
