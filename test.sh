#!/usr/bin/env bash
# Installs what the tests need and is missing, builds with warnings as errors, runs every test project.
# Last line: "N passed, N failed, N skipped". Exit code 0 only when nothing failed.
set -euo pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

command -v dotnet > /dev/null || { echo "The .NET 10 SDK is needed: https://dot.net" >&2; exit 1; }

packages=()
command -v git > /dev/null || packages+=(git)
command -v bwrap > /dev/null || packages+=(bubblewrap)
[ -x /usr/bin/chromium ] || [ -x /usr/bin/chromium-headless-shell ] || packages+=(chromium-headless-shell)
compgen -G '/usr/lib/postgresql/*/bin/initdb' > /dev/null || packages+=(postgresql)
command -v msmtpd > /dev/null || packages+=(msmtp-mta)
if [ ${#packages[@]} -gt 0 ]; then
  echo "Installing ${packages[*]}"
  as_root=$([ "$(id -u)" -eq 0 ] || echo sudo)
  $as_root apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "${packages[@]}" > /dev/null
fi
scripts/install-kubectl.sh
scripts/install-opencode.sh
export PATH="$PATH:${XDG_CACHE_HOME:-$HOME/.cache}/krate/kubectl/1.32"

dotnet restore Krate.sln --locked-mode -v quiet
dotnet build Krate.sln --no-restore -c Release -v quiet -warnaserror
dotnet publish Krate.Web --no-build -c Release -o artifacts/published -v quiet
export KRATE_PUBLISHED="$PWD/artifacts/published"

# Databases and repositories of tests live for seconds: in memory, where there is enough of it, no disk has to keep up.
if [ -w /dev/shm ] && [ "$(df --output=avail -k /dev/shm | tail -1)" -gt $((8 << 20)) ]; then
  TMPDIR=$(mktemp -d /dev/shm/krate-tests.XXXXXX)
  chmod 755 "$TMPDIR"
  export TMPDIR
fi
log=$(mktemp)
trap 'rm -f "$log"; [ -z "${TMPDIR:-}" ] || case "$TMPDIR" in /dev/shm/krate-tests.*) rm -rf "$TMPDIR" ;; esac' EXIT
status=0
dotnet test --no-build -c Release --solution Krate.sln --max-parallel-test-modules 2 2>&1 | tee "$log" || status=$?

awk '/^ *(failed|succeeded|skipped): [0-9]+$/ { sub(":", "", $1); n[$1] += $2 }
     END { printf "%d passed, %d failed, %d skipped\n", n["succeeded"], n["failed"], n["skipped"] }' "$log"
exit "$status"
