# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What the scripts share: where things are, how they speak, how they lock.
# Sourced, never run.

# A failure inside $(...) is a failure.
shopt -s inherit_errexit

# Most scripts are called by make. What it tells a sub-make is meant neither for
# kbuild nor for the build of a kernel.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

# The top of the checkout, with symbolic links resolved.
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
export TOP

# Downloads and kernels live here, outside the checkout, so that every checkout
# of one user shares them and `make clean` does not cost ten minutes.
CACHE=${BSDVM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/bsdvm}

PROG=${0##*/}

# Progress goes to stderr: stdout belongs to what the script answers.
note() { printf '%s: %s\n' "$PROG" "$*" >&2; }

die() {
	printf '%s: error: %s\n' "$PROG" "$*" >&2
	exit 1
}

# Print the comment at the head of a script, from line 3 to the first line that
# is no comment: the help text and the head of the file are one text.
usage() { awk 'NR >= 4 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }

# with_lock NAME COMMAND...: run COMMAND (a function, usually) while holding the
# lock NAME in the cache. The kernel drops the lock when the holder dies.
with_lock() {
	local name=$1 fd
	shift
	mkdir -p "$CACHE"
	exec {fd}>"$CACHE/.$name.lock"
	if ! flock -n "$fd"; then
		note "waiting for another process that prepares $name"
		flock "$fd"
	fi
	"$@"
	exec {fd}>&-
}

# The version of an installed Debian package, empty when it is not installed.
package_version() {
	# shellcheck disable=SC2016 # dpkg expands these, not the shell
	dpkg-query -W -f '${db:Status-Abbrev} ${Version}\n' "$1" 2>/dev/null |
		sed -n 's/^ii *//p'
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# Wait for another apt instead of failing beside it.
apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -o DPkg::Lock::Timeout=600 "$@" </dev/null >&2
}
