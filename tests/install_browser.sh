#!/usr/bin/env bash
# Optional: installs what the browser tests need, into the current Python environment
# (playwright, axe) and onto this machine (a Chromium, unless one is there already).
set -euo pipefail

cd "$(dirname "$0")/.."
python -m pip install --quiet -r requirements-browser.txt

find_browser() {
  for name in "${CHROME:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    if [ -n "$name" ] && command -v "$name"; then return 0; fi
  done
  python - <<'PYTHON'
import os, sys
from playwright.sync_api import sync_playwright

with sync_playwright() as playwright:
    path = playwright.chromium.executable_path
if not os.path.exists(path):
    sys.exit(1)
print(path)
PYTHON
}

# No pipe to grep -q: it leaves at the first match, and under pipefail apt-cache, which still writes, would fail the test.
has_package() {
  local policy
  policy=$(apt-cache policy chromium 2>/dev/null) || return 1
  [[ $policy == *"Candidate: "[0-9]* ]]
}

install_browser() {
  if command -v apt-get >/dev/null && has_package; then
    as_root=""
    [ "$(id -u)" -eq 0 ] || as_root=sudo
    if $as_root apt-get install -y --no-install-recommends chromium; then return 0; fi
  fi
  python -m playwright install chromium
}

if ! find_browser >/dev/null; then
  if command -v apt-get >/dev/null; then
    # A fresh machine has no package lists, and then no candidate either.
    if [ "$(id -u)" -eq 0 ]; then apt-get update -qq || true; else sudo apt-get update -qq || true; fi
  fi
  install_browser
fi
echo "The browser tests will use $(find_browser)"
