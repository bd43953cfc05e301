#!/usr/bin/env bash
# What the action runs: validate; plan where there is a key; sync where it was asked for outside of pull requests.
# Writes `report` and `exit-code` to $GITHUB_OUTPUT and ends with 0, so that the comment is written in any case.
set -uo pipefail

report=$RUNNER_TEMP/dbt-statsig.md
plan=$RUNNER_TEMP/dbt-statsig-plan.md
# An earlier run of the action in this job may have left its own.
rm -f "$report" "$plan"
# Isolated, so that no module of the checkout takes the place of a library.
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONUSERBASE
dbt-statsig() { "$PYTHON" -I -m dbt_statsig "$@"; }
shared=(--project-dir "$INPUT_PROJECT_DIR" --no-color)
[[ -n $INPUT_TARGET ]] && shared+=(--target "$INPUT_TARGET")
[[ $INPUT_STRICT == true ]] && shared+=(--strict)
compare=()
[[ -n $INPUT_STATE ]] && compare+=(--state "$INPUT_STATE")

# Whose code is checked out: `merged` (a branch or tag of this repository), `proposed` (a pull request within it), or
# `foreign`: a fork's, or not to be known from the event. What is foreign could have the key sent elsewhere.
whose() {
  case $1 in
    push | schedule | workflow_dispatch | release) echo merged ;;
    pull_request*) [[ ${HEAD_REPOSITORY:-} == "$GITHUB_REPOSITORY" ]] && echo proposed || echo foreign ;;
    *) echo foreign ;;
  esac
}
event=$GITHUB_EVENT_NAME
code=$(whose "$event")
if [[ $event == workflow_run ]]; then
  event="workflow_run after ${RUN_EVENT:-an unknown event}"
  # The head of a pull_request_target or of another workflow_run is not what such a run checked out.
  [[ ${RUN_EVENT:-} != pull_request?* && ${HEAD_REPOSITORY:-} == "$GITHUB_REPOSITORY" ]] && code=$(whose "${RUN_EVENT:-}")
fi
if [[ $code == foreign ]]; then
  STATSIG_CONSOLE_API_KEY=
  reason="$event does not say whose code is checked out"
  [[ $event == *pull_request* || ${HEAD_REPOSITORY:-$GITHUB_REPOSITORY} != "$GITHUB_REPOSITORY" ]] && reason="$event from a fork"
  echo "::notice title=dbt-statsig::Checked without a key: $reason. See docs/ci.md for the events that may use one."
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
  if [[ $code != merged ]]; then
    echo "::error title=dbt-statsig::sync is not run with $event; run it for a push to the branch that is deployed."
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
