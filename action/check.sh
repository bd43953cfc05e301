#!/usr/bin/env bash
# What the action runs: validate; plan where there is a key; sync, with a reload, where asked for outside of pull requests.
# Writes its outputs to $GITHUB_OUTPUT and ends with 0, so that the comment is written in any case.
set -uo pipefail

out=$(mktemp -d "$RUNNER_TEMP/dbt-statsig-report.XXXXXXXX")
report=$out/statsig.md
# Isolated, so that no module of the checkout takes the place of a library. The summary is written once, by `finish`.
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONUSERBASE
dbt-statsig() { GITHUB_STEP_SUMMARY="" "$PYTHON" -I -m dbt_statsig "$@"; }
# The forms of one command's answer, as files under its name.
reports() {
  forms=(--output text)
  for form in markdown html json github; do forms+=(--report "$form:$out/$1.$form"); done
}
shared=(--project-dir "$INPUT_PROJECT_DIR" --no-color)
[[ -n $INPUT_TARGET ]] && shared+=(--target "$INPUT_TARGET")
[[ -n $INPUT_SELECT ]] && shared+=(--select "$INPUT_SELECT")
[[ $INPUT_STRICT == true ]] && shared+=(--strict)
compare=()
[[ -n $INPUT_STATE ]] && compare+=(--state "$INPUT_STATE")
pushing=()
while IFS= read -r name; do
  [[ -n ${name// /} ]] && pushing+=(--adopt "$name")
done <<<"$INPUT_ADOPT"
[[ $INPUT_PRUNE == true ]] && pushing+=(--prune)
[[ $INPUT_DELETE_METRICS == true ]] && pushing+=(--delete-metrics)
[[ $INPUT_FORCE == true ]] && pushing+=(--force)
[[ $INPUT_SERVER_CHECK == true ]] && pushing+=(--server-check)

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

# The annotations of the commands named, each once and the worst first: GitHub shows ten of each weight in a step.
annotate() {
  for weight in error warning notice; do
    for name in "$@"; do cat "$out/$name.github" 2>/dev/null; done | grep "^::$weight " | awk '!shown[$0]++'
  done
}

# `finish EXIT_CODE [COMMAND]`: what the last command answered, for the summary, the comment and later steps.
finish() {
  {
    echo "exit-code=$1"
    if [[ -f $report ]]; then
      echo "report=$report"
      [[ -n ${GITHUB_STEP_SUMMARY:-} ]] && cat "$report" >>"$GITHUB_STEP_SUMMARY"
    fi
    for form in html json; do
      [[ -f $out/${2:-}.$form ]] && mv "$out/$2.$form" "$out/statsig.$form" && echo "$form=$out/statsig.$form"
    done
    "$PYTHON" -I "$GITHUB_ACTION_PATH/action/outputs.py" "$out/statsig.json"
  } >>"$GITHUB_OUTPUT"
  exit 0
}

if [[ $INPUT_SYNC == true ]]; then
  if [[ $code != merged ]]; then
    echo "::error title=dbt-statsig::sync is not run with $event; run it for a push to the branch that is deployed."
    finish 2
  fi
  reports sync
  [[ $INPUT_RELOAD == true ]] && pushing+=(--reload)
  dbt-statsig sync "${shared[@]}" ${pushing[@]+"${pushing[@]}"} "${forms[@]}"
  ended=$?
  annotate sync
  [[ -f $out/sync.markdown ]] && mv "$out/sync.markdown" "$report"
  finish "$ended" sync
fi

checks=("${shared[@]}" ${compare[@]+"${compare[@]}"})
known=()
[[ -n $INPUT_BASELINE ]] && known+=(--baseline "$INPUT_BASELINE")
reports validate
dbt-statsig validate "${checks[@]}" ${known[@]+"${known[@]}"} "${forms[@]}"
validated=$?
[[ -f $out/validate.markdown ]] && mv "$out/validate.markdown" "$report"
if [[ -z ${STATSIG_CONSOLE_API_KEY:-} || $validated -gt 1 ]]; then
  annotate validate
  finish "$validated" validate
fi
reports plan
dbt-statsig plan "${checks[@]}" ${pushing[@]+"${pushing[@]}"} "${forms[@]}"
planned=$?
if [[ -n $INPUT_BASELINE && -f $out/plan.github ]]; then
  # The plan does not know the baseline: what validate finds without one is not the plan's to annotate.
  dbt-statsig validate "${checks[@]}" --output github --report "github:$out/all.github" >/dev/null 2>&1
  grep -vxFf "$out/all.github" "$out/plan.github" >"$out/rest.github"
  mv "$out/rest.github" "$out/plan.github"
fi
annotate validate plan
if [[ $planned -eq 2 && -f $out/plan.markdown ]]; then
  # Why there is no plan, and below it what was found without one.
  printf '\n' >>"$out/plan.markdown"
  tail -n +2 "$report" >>"$out/plan.markdown"
fi
[[ -f $out/plan.markdown ]] && mv "$out/plan.markdown" "$report"
# What the baseline knows blocks its sources in the plan too; that alone must not fail the check.
if [[ -n $INPUT_BASELINE && $planned -eq 1 ]]; then
  finish "$validated" plan
fi
finish $((planned > validated ? planned : validated)) plan
