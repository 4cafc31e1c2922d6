#!/bin/sh
# Makes sure that a chromium is there for the browser tests, or says why not.
# Never fails: the tests themselves skip with a reason, and refuse to skip when CI=true.
set -u

say() { echo "browser: $*" >&2; }

for name in ${CHROMIUM:-} chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then
        exit 0
    fi
done

if ! command -v apt-get >/dev/null 2>&1; then
    say "no chromium found, and no apt-get to install it with; set CHROMIUM to a browser's path"
    exit 0
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    say "no chromium found, and it takes root or passwordless sudo to install it (apt-get install chromium)"
    exit 0
fi

say "installing Debian's chromium"
export DEBIAN_FRONTEND=noninteractive
if ! { $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends chromium; } >&2; then
    say "apt-get could not install chromium; the browser tests will say so"
fi
exit 0
