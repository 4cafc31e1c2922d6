#!/bin/sh
# Installs pinned requirements into $VENV, once: install.sh STAMP REQUIREMENTS...
# The stamp is written last, so that an interrupted install is taken up again by the next call.
set -eu
stamp=$1
shift
venv=${VENV:-.venv}
python=${PYTHON:-python3}

say() { echo "setup: $*" >&2; }

if [ -f "$stamp" ] && [ -x "$venv/bin/python" ]; then
    exit 0
fi

if ! command -v "$python" >/dev/null 2>&1; then
    say "no $python found; install Python 3.11 or newer, or name one: make app PYTHON=/path/to/python3.11"
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    say "$("$python" --version 2>&1) is too old; Python 3.11 or newer is needed: make app PYTHON=/path/to/python3.11"
    exit 1
fi
if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    say "$python has no venv module; on Debian and Ubuntu: apt-get install python3-venv"
    exit 1
fi

if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    say "creating $venv with $("$python" --version 2>&1)"
    "$python" -m venv --clear "$venv"
fi

arguments=""
for file in "$@"; do
    arguments="$arguments -r $file"
done
say "installing $* (several minutes the first time)"
# shellcheck disable=SC2086  # the list of -r arguments is meant to split
"$venv/bin/python" -m pip install --disable-pip-version-check $arguments

kind=${stamp%-*}
rm -f "$kind"-*
touch "$stamp"
say "done"
