#!/usr/bin/env bash
# Measures the published app; see measure-app.js. Playwright brings its own node.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/.*Include="Microsoft.Playwright" Version="\([^"]*\)".*/\1/p' Directory.Packages.props)
export PLAYWRIGHT_PACKAGE="${NUGET_PACKAGES:-$HOME/.nuget/packages}/microsoft.playwright/$version/.playwright/package"
exec "$PLAYWRIGHT_PACKAGE/../node/linux-x64/node" scripts/measure-app.js
