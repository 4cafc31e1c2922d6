#!/bin/sh
# Asks PyPI whether a package in $VENV, direct or not, has a known vulnerability: audit.sh
# pip-audit lives in an environment of its own, $AUDIT_VENV, so that its requirements do not mix with ours.
# Exit status: 0 every package was asked for and none is known, 1 otherwise, with the reason.
set -eu
version=2.10.1
venv=${VENV:-.venv}
audit=${AUDIT_VENV:-.venv-audit}
index=https://pypi.org/pypi/pip/json

say() { echo "audit: $*" >&2; }

if ! [ -x "$venv/bin/python" ]; then
    say "$venv is not set up; run make install-test first"
    exit 1
fi
if ! "$venv/bin/python" -c "import urllib.request; urllib.request.urlopen('$index', timeout=20).read(1)" 2>/dev/null; then
    say "no network, or no way to $index: NOTHING WAS AUDITED; run it again where there is one"
    exit 1
fi
if [ "$("$audit/bin/python" -m pip_audit --version 2>/dev/null)" != "pip-audit $version" ]; then
    say "installing pip-audit $version into $audit"
    "$venv/bin/python" -m venv --clear "$audit"
    "$audit/bin/python" -m pip install --disable-pip-version-check --quiet "pip-audit==$version"
fi
# Builds of PyTorch's own index carry +cpu or +cu in their version, which PyPI does not know: the plain version is asked.
# --strict: a package that PyPI has no answer for fails the audit, or silence would read as an all-clear.
list=$(mktemp)
trap 'rm -f "$list"' EXIT
"$venv/bin/python" -m pip list --disable-pip-version-check --format=freeze | sed 's/+.*$//' >"$list"
say "asking for $(wc -l <"$list") packages"
if ! "$audit/bin/python" -m pip_audit --progress-spinner off --strict --no-deps --disable-pip -r "$list"; then
    say "not passed: see above for packages with a known vulnerability, or that could not be audited"
    exit 1
fi
