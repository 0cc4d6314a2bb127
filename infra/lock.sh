#!/usr/bin/env bash
# Pins every dependency with its hashes into requirements*.txt, naming no index host.
set -euo pipefail
uv=${1:-uv}
compile() { "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header "$@"; }
compile pyproject.toml --extra build --extra demo --extra s3 --extra server -o requirements.txt
compile pyproject.toml --all-extras -c requirements.txt -o requirements-dev.txt
echo uv | compile - -c requirements-dev.txt -o requirements-uv.txt
