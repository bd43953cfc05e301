#!/usr/bin/env bash
# What the action runs: validate; plan where there is a key; sync where it was asked for outside of pull requests.
# Writes `report` and `exit-code` to $GITHUB_OUTPUT and ends with 0, so that the comment is written in any case.
set -uo pipefail

report=$RUNNER_TEMP/dbt-statsig.md
shared=(--project-dir "$INPUT_PROJECT_DIR" --no-color)
[[ -n $INPUT_TARGET ]] && shared+=(--target "$INPUT_TARGET")
[[ $INPUT_STRICT == true ]] && shared+=(--strict)
compare=()
[[ -n $INPUT_STATE ]] && compare+=(--state "$INPUT_STATE")
# An empty variable would count as a key that cannot be used.
[[ -n ${STATSIG_CONSOLE_API_KEY:-} ]] || unset STATSIG_CONSOLE_API_KEY

finish() {
  {
    echo "exit-code=$1"
    [[ -f $report ]] && echo "report=$report"
  } >>"$GITHUB_OUTPUT"
  exit 0
}

if [[ $INPUT_SYNC == true ]]; then
  if [[ $GITHUB_EVENT_NAME == pull_request* ]]; then
    echo "::error title=dbt-statsig::sync is never run for a pull request; run it on the branch that it is merged into."
    finish 2
  fi
  dbt-statsig sync "${shared[@]}" --output github --report "markdown:$report"
  finish $?
fi

checks=("${shared[@]}" "${compare[@]}")
[[ -n $INPUT_BASELINE ]] && checks+=(--baseline "$INPUT_BASELINE")
dbt-statsig validate "${checks[@]}" --output github --report "markdown:$report"
validated=$?
if [[ -z ${STATSIG_CONSOLE_API_KEY:-} || $validated -gt 1 ]]; then
  finish "$validated"
fi
dbt-statsig plan "${shared[@]}" "${compare[@]}" --report "markdown:$report"
planned=$?
# What the baseline knows blocks its sources in the plan too; that alone must not fail the check.
if [[ -n $INPUT_BASELINE && $planned -eq 1 ]]; then
  finish "$validated"
fi
finish $((planned > validated ? planned : validated))
