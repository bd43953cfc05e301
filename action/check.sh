#!/usr/bin/env bash
# What the action runs: validate; plan where there is a key; sync where it was asked for outside of pull requests.
# Writes `report` and `exit-code` to $GITHUB_OUTPUT and ends with 0, so that the comment is written in any case.
set -uo pipefail

report=$RUNNER_TEMP/dbt-statsig.md
plan=$RUNNER_TEMP/dbt-statsig-plan.md
# An earlier run of the action in this job may have left its own.
rm -f "$report" "$plan"
shared=(--project-dir "$INPUT_PROJECT_DIR" --no-color)
[[ -n $INPUT_TARGET ]] && shared+=(--target "$INPUT_TARGET")
[[ $INPUT_STRICT == true ]] && shared+=(--strict)
compare=()
[[ -n $INPUT_STATE ]] && compare+=(--state "$INPUT_STATE")
# What a fork sends in may name another host for the key to go to. GitHub gives its pull requests no secret, but for
# pull_request_target it does.
if [[ $GITHUB_EVENT_NAME == pull_request* && ${HEAD_REPOSITORY:-} != "$GITHUB_REPOSITORY" ]]; then
  STATSIG_CONSOLE_API_KEY=
  echo "::notice title=dbt-statsig::A pull request from a fork: checked without a key."
fi
# An empty variable would count as a key that cannot be used; other names of it count too.
if [[ -z ${STATSIG_CONSOLE_API_KEY:-} ]]; then
  unset STATSIG_CONSOLE_API_KEY STATSIG_API_KEY DBT_ENV_SECRET_STATSIG_CONSOLE_API_KEY
fi

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
dbt-statsig plan "${shared[@]}" "${compare[@]}" --report "markdown:$plan"
planned=$?
if [[ $planned -eq 2 && -f $plan ]]; then
  # Why there is no plan, and below it what was found without one.
  printf '\n' >>"$plan"
  tail -n +2 "$report" >>"$plan"
fi
if [[ -f $plan ]]; then
  mv "$plan" "$report"
  [[ -n ${GITHUB_STEP_SUMMARY:-} ]] && cat "$report" >>"$GITHUB_STEP_SUMMARY"
fi
# What the baseline knows blocks its sources in the plan too; that alone must not fail the check.
if [[ -n $INPUT_BASELINE && $planned -eq 1 ]]; then
  finish "$validated"
fi
finish $((planned > validated ? planned : validated))
