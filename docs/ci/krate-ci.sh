#!/bin/sh
# Runs a command as a job of a Krate pipeline: its output goes to the log as it comes, its exit code is the result.
# Needs a POSIX shell and curl. docs/ci.md says how to get the token.
#
#   krate-ci.sh begin                              makes a pipeline and prints its name
#   krate-ci.sh run --step test -- ./test.sh       runs a command as a job; exits as the command does
#   krate-ci.sh end                                finishes the pipeline; the result is that of its jobs
#
# Without KRATE_PIPELINE, "run" makes a pipeline of its own and finishes it.
#
# KRATE_URL, KRATE_TOKEN, KRATE_ORG          where, and as whom
# KRATE_REPOSITORY, KRATE_REF, KRATE_SHA     what the pipeline is about
# KRATE_WORKFLOW (ci), KRATE_PIPELINE, KRATE_STARTED_BY, KRATE_RESUME_FROM, KRATE_CA (certificate file), KRATE_NAMESPACE
set -u
umask 077

CHUNK=4194304
PATIENCE=30
CANCELLED=130

fail() { echo "krate-ci: $*" >&2; exit 2; }

usage() { sed -n '2,16s/^# \{0,1\}//p' "$0" >&2; exit 2; }

need() { for name in "$@"; do eval "[ -n \"\${$name:-}\" ]" || fail "$name is not set"; done; }

# Text in JSON quotes; characters that no name and no command line needs become blanks.
quote() { printf '"%s"' "$(printf '%s' "$1" | tr '\000-\037' ' ' | sed 's/\\/\\\\/g; s/"/\\"/g')"; }

# post PATH FILE TYPE: sets $code; the answer is in $work/answer. What a network loses is sent again: every request may be repeated.
post() {
  tries=0
  while :; do
    code=$(curl --silent --show-error --max-time 60 ${KRATE_CA:+--cacert "$KRATE_CA"} --header @"$work/headers" --header "Content-Type: $3" \
      --data-binary @"$2" --output "$work/answer" --write-out '%{http_code}' "$base/$1" 2>"$work/trouble") || code=000
    case $code in
      000 | 429 | 5??) ;;
      *) return 0 ;;
    esac
    tries=$((tries + 1))
    [ "$tries" -lt "$PATIENCE" ] || fail "Krate does not answer ($code): $(cat "$work/trouble" "$work/answer" 2>/dev/null)"
    sleep 1
  done
}

# say PATH JSON: an answer of 201 or 200 is expected; "again" (409) is told by the return value.
say() {
  printf '%s' "$2" >"$work/body"
  post "$1" "$work/body" application/json
  case $code in
    2??) return 0 ;;
    409) return 1 ;;
    *) fail "$1 was refused ($code): $(message)" ;;
  esac
}

message() { sed -n 's/.*"message":"\(\([^"\\]\|\\.\)*\)".*/\1/p' "$work/answer"; }

prepare() {
  need KRATE_URL KRATE_TOKEN
  [ -n "${KRATE_NAMESPACE:-}" ] || need KRATE_ORG
  base="${KRATE_URL%/}/apis/krate.a5c.ai/v1alpha1/namespaces/${KRATE_NAMESPACE:-krate-org-$KRATE_ORG}"
  work=$(mktemp -d) || fail "no temporary folder"
  trap 'rm -rf "$work"' EXIT
  # In a file: command lines are seen by everybody on the machine.
  printf 'Authorization: Bearer %s\n' "$KRATE_TOKEN" >"$work/headers"
}

# A name of our own makes the request repeatable: the second time it is there already.
new_name() { echo "$1-$(date +%s)-$$-$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')"; }

begin() {
  need KRATE_REPOSITORY KRATE_REF
  KRATE_PIPELINE=$(new_name pipeline)
  spec="\"repository\":$(quote "$KRATE_REPOSITORY"),\"ref\":$(quote "$KRATE_REF"),\"workflow\":$(quote "${KRATE_WORKFLOW:-ci}")"
  [ -z "${KRATE_SHA:-}" ] || spec="$spec,\"sha\":$(quote "$KRATE_SHA")"
  [ -z "${KRATE_STARTED_BY:-}" ] || spec="$spec,\"startedBy\":$(quote "$KRATE_STARTED_BY")"
  [ -z "${KRATE_RESUME_FROM:-}" ] || spec="$spec,\"resumeFrom\":$(quote "$KRATE_RESUME_FROM")"
  say pipelines "{\"metadata\":{\"name\":\"$KRATE_PIPELINE\"},\"spec\":{$spec}}" || [ "$tries" -gt 0 ] || fail "$(message)"
}

end() { say "pipelines/$KRATE_PIPELINE/finish" '{}' || fail "the pipeline cannot be finished: $(message)"; }

# Sends what the log file has more than Krate; returns 1 when the job was ended from outside.
send() {
  while size=$(wc -c <"$work/log") && [ "$size" -gt "$offset" ]; do
    tail -c +"$((offset + 1))" "$work/log" | head -c "$CHUNK" >"$work/chunk"
    post "jobs/$job/log?offset=$offset" "$work/chunk" application/octet-stream
    told=$(sed -n 's/.*"offset":\([0-9][0-9]*\).*/\1/p' "$work/answer")
    case $code in
      2??) cat "$work/chunk"; offset=$told ;;
      409)
        [ -n "$told" ] || return 1
        # An answer was lost on its way: what Krate has, it has.
        [ "$told" -gt "$offset" ] && [ "$told" -le "$size" ] || fail "another program writes to this log: it has $told bytes, and this job has sent $offset"
        tail -c +"$((offset + 1))" "$work/log" | head -c "$((told - offset))"
        offset=$told
        ;;
      *) fail "the log was refused ($code): $(message)" ;;
    esac
  done
}

stop() { kill "$(cat "$work/pid" 2>/dev/null)" 2>/dev/null; wait 2>/dev/null; }

cancelled() {
  stop
  echo "krate-ci: $(message)" >&2
  exit "$CANCELLED"
}

run() {
  step=run
  while [ $# -gt 0 ]; do
    case $1 in
      --step) [ $# -ge 2 ] || usage; step=$2; shift 2 ;;
      --) shift; break ;;
      *) usage ;;
    esac
  done
  [ $# -gt 0 ] || usage
  own=
  [ -n "${KRATE_PIPELINE:-}" ] || { own=yes; begin; }
  job=$(new_name job)
  say jobs "{\"metadata\":{\"name\":\"$job\"},\"spec\":{\"pipeline\":$(quote "$KRATE_PIPELINE"),\"step\":$(quote "$step"),\"command\":$(quote "$*")}}" || [ "$tries" -gt 0 ] || fail "$(message)"
  say "jobs/$job/start" '{}' || fail "$(message)"

  : >"$work/log"
  offset=0
  # The command has no business with the token. Its exit code comes by a file: a shell may take one that has ended for one that runs.
  (
    unset KRATE_TOKEN
    "$@" &
    echo $! >"$work/pid"
    wait $!
    echo $? >"$work/ended"
    mv "$work/ended" "$work/result"
  ) >"$work/log" 2>&1 </dev/null &
  trap 'stop; say "pipelines/$KRATE_PIPELINE/finish" "{\"phase\":\"cancelled\"}"; exit "$CANCELLED"' INT TERM HUP
  until [ -f "$work/result" ]; do
    send || cancelled
    sleep 1
  done
  result=$(cat "$work/result")
  send || cancelled
  say "jobs/$job/finish" "{\"exitCode\":$result}" || cancelled
  [ -z "$own" ] || end
  exit "$result"
}

[ $# -gt 0 ] || usage
verb=$1
shift
case $verb in
  begin) prepare; begin; echo "$KRATE_PIPELINE" ;;
  run) prepare; run "$@" ;;
  end) need KRATE_PIPELINE; prepare; end ;;
  *) usage ;;
esac
