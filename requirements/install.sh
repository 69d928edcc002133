#!/bin/sh
# Makes .venv ready, from hashed locks and wheels only; the Makefile calls it before everything.
#
#   install.sh run      what `hilo serve` needs
#   install.sh dev      that, and what tests and checks need (same versions, same .venv)
#   install.sh python   prints the Python that would be used, or in one line what to do
#
# A second run is instant: the stamp in .venv holds what the set-up was made from.
set -eu
cd "$(dirname "$0")/.."

python_is_usable() {
    "$1" -c '
import sys
if sys.version_info < (3, 11):
    sys.exit(3)
try:
    import ensurepip, venv
except ImportError:
    sys.exit(4)' 2>/dev/null
}

find_python() {
    advice='Hilo needs Python 3.11 or newer, and there is none here: run "apt-get install python3 python3-venv" as root, or install it from your system.'
    for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        code=0
        python_is_usable "$candidate" || code=$?
        case $code in
            0) echo "$candidate"; return 0 ;;
            4) echo "$candidate is here, but cannot make environments: run \"apt-get install $candidate-venv\" as root, then the same again." >&2
               return 1 ;;
            3) advice="Hilo needs Python 3.11 or newer; $candidate is older: install a newer one, or name it, as in \"make PYTHON=/path/to/python3.12 run\"." ;;
        esac
    done
    echo "$advice" >&2
    return 1
}

made_from() {
    cksum "requirements/$1.txt" pyproject.toml requirements/install.sh api/web/assets.json
}

is_ready() {
    has_environment && [ "$(cat ".venv/made-from-$1" 2>/dev/null)" = "$(made_from "$1")" ]
}

has_environment() { # in this very folder: an environment that was moved or copied is useless
    [ -x .venv/bin/python ] && [ "$(cat .venv/folder 2>/dev/null)" = "$(pwd)" ]
}

make_environment() {
    "$1" -m venv --clear .venv
    pwd >.venv/folder
}

pip_install() {
    PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip install -qq --no-input "$@"
}

install() {
    is_ready "$1" && return 0
    has_environment || python=$(find_python)
    echo "Setting up .venv ($2); later runs skip this." >&2
    has_environment || make_environment "$python"
    rm -f .venv/made-from-*
    # The lock is complete, so nothing is resolved; modules are compiled when first imported.
    pip_install --require-hashes --only-binary :all: --no-deps --no-compile \
        --requirement "requirements/$1.txt"
    pip_install --no-deps --no-index --no-build-isolation --editable .
    .venv/bin/python requirements/assets.py # the pages' scripts; without them pages work plainly
    # What a server imports is compiled once, also where Python is told to keep nothing compiled
    # (as in many container images): otherwise every start would compile it for seconds.
    PYTHONDONTWRITEBYTECODE='' .venv/bin/python -c 'import app.cli.serving, app.launching, app.replaying, app.server'
    made_from run >.venv/made-from-run # the dev set holds the run set at the same versions
    [ "$1" = run ] || made_from "$1" >".venv/made-from-$1"
}

case ${1:-} in
    run) install run "run-time packages, less than a minute" ;;
    dev) install dev "run-time packages and tools, about a minute" ;;
    python) find_python ;;
    *) sed -n '2,8s/^# \{0,1\}//p' requirements/install.sh >&2; exit 2 ;;
esac
