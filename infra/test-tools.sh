#!/usr/bin/env bash
# The report is looked at in a real browser: installs Chromium where that is possible, else says what to do.
set -euo pipefail
for browser in chromium chromium-browser google-chrome; do
  if command -v "$browser" >/dev/null; then exit 0; fi
done
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "installing chromium for the browser tests" >&2
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium fonts-noto-cjk >/dev/null
else
  echo "no Chromium found: the browser tests need one; install \`chromium\` with your package manager" >&2
  exit 1
fi
