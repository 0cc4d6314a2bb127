#!/usr/bin/env bash
# What tests look with beside Python: a browser for the report, OpenSSH's server and GnuPG for what vendors receive.
# Installs what is missing where that is possible, else says what to do.
set -euo pipefail
export PATH="$PATH:/usr/sbin"
missing=()
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
  missing+=(chromium fonts-noto-cjk)
command -v sshd >/dev/null || missing+=(openssh-server)
command -v gpg >/dev/null || missing+=(gnupg)
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "installing for the tests: ${missing[*]}" >&2
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "the tests need these, install them with your package manager: ${missing[*]}" >&2
  exit 1
fi
