#!/bin/sh
# Writes requirements.lock (run time), requirements-demo.lock (and PostgreSQL as a wheel) and requirements-dev.lock (everything):
# versions and hashes for every platform, no index address. Give `--upgrade` to take newer versions.
set -eu
projects="shared/pyproject.toml services/ingest/pyproject.toml services/scoring/pyproject.toml services/routing/pyproject.toml"
lock() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --no-emit-find-links --no-emit-package aftercall-shared $projects "$@"
}
lock --output-file requirements.lock "$@"
lock --group demo --constraint requirements.lock --output-file requirements-demo.lock
lock --group dev --constraint requirements-demo.lock --output-file requirements-dev.lock
