#!/usr/bin/env bash
# Puts opencode, an agent that others make (MIT), into the cache where the browser tests look for it:
#   ${XDG_CACHE_HOME:-~/.cache}/krate/opencode/opencode
set -euo pipefail
version=1.18.33
target="${XDG_CACHE_HOME:-$HOME/.cache}/krate/opencode"
. "$(dirname "$0")/npm-package.sh"

if [ "$(cat "$target/version" 2> /dev/null)" = "$version" ]; then exit 0; fi
echo "Installing opencode $version into $target"
work=$(mktemp -d)
# The build for every processor of the last fifteen years.
unpack "opencode-linux-x64-baseline@$version" "$work"
mkdir -p "$target"
install -m 0755 "$work/package/bin/opencode" "$target/opencode"
# Written last: a broken download must not look like an installed one.
echo "$version" > "$target/version"
rm -rf "$work"
