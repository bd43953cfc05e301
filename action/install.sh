#!/usr/bin/env bash
# Installs dbt-statsig into an environment of its own and writes its Python to $GITHUB_OUTPUT as `python`.
# Nothing of the checkout is run: Python is isolated (-I), works in a new folder, and every package is pinned.
set -euo pipefail

# Python of pip's own child processes must not look into the checkout either.
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONUSERBASE PIP_TARGET PIP_PREFIX
export PYTHONSAFEPATH=1 PYTHONNOUSERSITE=1 PIP_DISABLE_PIP_VERSION_CHECK=1
home=$(mktemp -d "$RUNNER_TEMP/dbt-statsig.XXXXXXXX")
cd "$home"
"$PYTHON" -I -m venv "$home/environment"
python=$home/environment/bin/python
install=("$python" -I -m pip install --quiet --constraint "$GITHUB_ACTION_PATH/constraints.txt")
# What builds the package is pinned too: in pip's own isolation it would be the newest.
"${install[@]}" hatchling
"${install[@]}" --no-build-isolation "$GITHUB_ACTION_PATH"
echo "python=$python" >>"$GITHUB_OUTPUT"
