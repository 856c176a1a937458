#!/bin/sh
# Pin every dependency with its hashes, naming no host; what is younger than a week is left out.
# Needs `uv` on the PATH. Run from the root of the checkout.
set -eu
before=$(date -u -d '7 days ago' +%Y-%m-%d)
opts="--quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --exclude-newer $before"
uv pip compile $opts pyproject.toml requirements/build.in -o requirements/runtime.txt
uv pip compile $opts pyproject.toml requirements/build.in requirements/dev.in -c requirements/runtime.txt -o requirements/dev.txt
uv pip compile $opts requirements/conformance.in -c requirements/dev.txt -o requirements/conformance.txt
uv pip compile $opts requirements/go.in -o requirements/go.txt
