#!/usr/bin/env bash
# Runs chapters as in Colab: its Python, its versions, and a first cell that believes it is there. For use by hand:
#   bash tests/colab.sh          every chapter, as it was last committed
#   bash tests/colab.sh 03 10    these two
# PYTHON313 names a Python 3.13 if `python3.13` is not the one. It needs a network, 2 GB of disk, and no GPU.
set -euo pipefail

cd "$(dirname "$0")/.."
python=${PYTHON313:-python3.13}
if [ "$("$python" -c 'import sys; print(*sys.version_info[:2])' 2>/dev/null)" != "3 13" ]; then
  echo "\"$python\" is no Python 3.13, which Colab has. Install one, or set PYTHON313 to its path." >&2
  exit 1
fi
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

git diff --quiet HEAD || echo "Changes that are not committed are left out." >&2
git clone --quiet . "$temporary/repository"
chapters=()
for number in "${@:-}"; do
  found=("$temporary"/repository/chapters/"$number"*.ipynb)
  [ -e "${found[0]}" ] || { echo "There is no committed chapter \"$number\": give numbers, such as 03 10." >&2; exit 1; }
  chapters+=("${found[@]}")
done

# The first cell installs from the web. Git gets that address from the copy here instead: the cell runs as it stands.
release=$(grep -oE 'https://[^"\\ ]+@v[0-9.]+' "${chapters[0]}" | head -n 1)
git -C "$temporary/repository" tag --force "${release##*@}" >/dev/null
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="url.file://$temporary/repository.insteadOf" GIT_CONFIG_VALUE_0="${release%@*}"

# In Colab, every kernel has loaded this module before the first cell runs.
mkdir -p "$temporary/ipython/profile_default/startup"
echo 'import sys, types; sys.modules["google.colab"] = types.ModuleType("google.colab")' \
  >"$temporary/ipython/profile_default/startup/00-colab.py"

echo "Installing Colab's versions ..."
"$python" -m venv "$temporary/venv"
pip() { "$temporary/venv/bin/python" -m pip --disable-pip-version-check "$@"; }
pip install --quiet -r requirements-colab.txt
pip freeze >"$temporary/before"

# One chapter, alone in an empty folder, on a machine that has neither our package nor CIFAR-10 nor settings of ours.
run_alone() {
  mkdir "$temporary/alone"
  cp "$1" "$temporary/alone"
  pip uninstall --quiet --yes patchconvnet 2>/dev/null
  (
    cd "$temporary/alone"
    unset KERAS_BACKEND TF_CPP_MIN_LOG_LEVEL MPLBACKEND PYTHONPATH FULL_RUN PATCHCONVNET_CIFAR10 PATCHCONVNET_OFFLINE
    export IPYTHONDIR="$temporary/ipython" KERAS_HOME="$temporary/keras" XDG_CACHE_HOME="$temporary/cache"
    "$temporary/venv/bin/python" -m pytest -q -p no:cacheprovider --rootdir . \
      --nbval --nbval-current-env --nbval-cell-timeout=600 \
      --nbval-sanitize-with "$temporary/repository/tests/nbval.cfg" "$(basename "$1")"
  ) && installed_nothing_else
  local status=$?
  rm -rf "$temporary/alone"
  return $status
}

installed_nothing_else() {
  pip freeze >"$temporary/after"
  grep -q '^patchconvnet @ git+https' "$temporary/after" || { echo "The first cell did not install the package."; return 1; }
  diff "$temporary/before" <(grep -v '^patchconvnet @' "$temporary/after") || { echo "pip changed Colab's packages."; return 1; }
}

failed=0 times=""
for chapter in "${chapters[@]}"; do
  began=$SECONDS verdict=passed
  if ! run_alone "$chapter" >"$temporary/log" 2>&1; then
    failed=1 verdict=FAILED
    cat "$temporary/log"
    pip install --quiet -r requirements-colab.txt # for the next chapter, should the first cell have changed a version
  fi
  times+=$(printf '%-28s %4d s  %s' "$(basename "$chapter")" $((SECONDS - began)) $verdict)$'\n'
  echo "$(basename "$chapter") $verdict"
done
printf '\n%s%-28s %4d s\n' "$times" "all, with the installation" $SECONDS
exit $failed
