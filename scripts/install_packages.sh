#!/bin/sh
# install_packages.sh GROUP: into .venv goes what requirements/tables.txt and GROUP.txt list, by pip and its own
# settings (mirror, proxy, cache). .venv is made first if it is not there: by $PYTHON, or by the first Python
# found that will do. make calls this.
set -eu
cd "$(dirname "$0")/.."
group=$1

fail() {
	printf '%s\n' "$@" >&2
	exit 1
}

# As it is run, not only looked for: a command of this name may be another version, or start nothing.
is_supported() {
	"$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1
}

find_python() {
	if [ -n "${PYTHON:-}" ]; then
		set -- "$PYTHON"
	else
		set -- python3.11 python3.12 python3.13 python3 python
	fi
	without_venv=
	for candidate; do
		is_supported "$candidate" || continue
		if "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then
			echo "$candidate"
			return
		fi
		without_venv=${without_venv:-$candidate}
	done
	[ -z "$without_venv" ] || fail_without_venv "$without_venv"
	fail "error: Python 3.11, 3.12 or 3.13 is needed, and none of these is one: $*" \
		"Install one, then call make again:" \
		"  Debian, Ubuntu   apt-get install python3 python3-venv (3.11 to 3.13 from Debian 12 and Ubuntu 24.04 on)" \
		"  Fedora           dnf install python3.13" \
		"  macOS            brew install python@3.13" \
		"  any              uv python install 3.12, or conda create -n py312 python=3.12 and conda activate py312" \
		"If it is there by another name: make PYTHON=/path/to/python"
}

fail_without_venv() {
	version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
	fail "error: $1 (Python $version) cannot make environments, as its venv or ensurepip is missing" \
		"Install it, then call make again: apt-get install python$version-venv (Debian, Ubuntu)"
}

# Not after a call that was killed as it made .venv, nor when the Python that made it is gone.
is_whole() {
	.venv/bin/python -c 'from importlib.metadata import files; files("pip")[0]' >/dev/null 2>&1
}

# pip writes RECORD last, but takes a package without it for installed; what begins with ~ it had set aside.
remove_half_installed() {
	for info in .venv/lib/python3*/site-packages/*.dist-info; do
		[ -e "$info/RECORD" ] || rm -rf "$info"
	done
	rm -rf .venv/lib/python3*/site-packages/~*
}

install_locked() {
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes "$@"
}

if ! is_whole; then
	python=$(find_python)
	rm -rf .venv
	"$python" -m venv .venv
fi
remove_half_installed
echo "Installing the packages for $group into .venv (the first time: minutes, and some 3 GB to download)" >&2
# The pip of today, as those that come with a Python take up to twice as long, and the setuptools that builds
# what has no wheel.
install_locked --requirement requirements/pip.txt
install_locked --no-build-isolation --use-pep517 --requirement requirements/tables.txt \
	--requirement "requirements/$group.txt"
# What is imported has its bytecode from now on, also for processes that are told to write none. pip would
# compile ten thousand modules more, which takes a quarter of the time.
(
	unset PYTHONDONTWRITEBYTECODE
	.venv/bin/python -c 'import av, cv2, dvc.cli, matplotlib.pyplot, numba, pandas, requests, safetensors.torch
import scipy.stats, sklearn.svm, snakemake.cli, torch._dynamo'
)
touch .venv/tables.ready ".venv/$group.ready"
