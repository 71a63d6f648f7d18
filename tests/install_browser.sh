#!/usr/bin/env bash
# Optional: installs what the browser tests need, into the current Python environment
# (playwright, axe, selenium) and onto this machine: a Chromium, unless one is there
# already; and, where apt has them, Firefox and WebKit for a dozen tests of their own.
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

# command, and the package of Debian that has it
others="firefox-esr:firefox-esr WebKitWebDriver:webkit2gtk-driver Xvfb:xvfb"

missing_others() {
  for pair in $others; do
    command -v "${pair%%:*}" >/dev/null || echo "${pair##*:}"
  done
}

# No pipe to grep -q: it leaves at the first match, and under pipefail apt-cache, which still writes, would fail the test.
has_package() {
  local policy
  policy=$(apt-cache policy "$1" 2>/dev/null) || return 1
  [[ $policy == *"Candidate: "[0-9]* ]]
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

install_package() {
  command -v apt-get >/dev/null && has_package "$1" && as_root apt-get install -y --no-install-recommends "$1"
}

if command -v apt-get >/dev/null && { ! find_browser || [ -n "$(missing_others)" ]; } >/dev/null; then
  # A fresh machine has no package lists, and then no candidate either.
  as_root apt-get update -qq || true
fi
if ! find_browser >/dev/null; then
  install_package chromium || python -m playwright install chromium
fi
for package in $(missing_others); do
  install_package "$package" || echo "apt has no $package here: the tests in that browser will be skipped"
done
echo "The browser tests will use $(find_browser)"
