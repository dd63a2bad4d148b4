# shellcheck shell=bash
# Sourced by every script of the workbench. Gives:
#   ROOT BUILD CACHE TOOLROOT absolute paths: the project, its output, its downloads,
#                             the root file system of builds and guests; TREE, when
#                             set, is made absolute
#   info warn die             one line to standard error (die ends the script)
#   usage header_of           the header comment of a script, as its help text
#   options                   reads a script's options
#   duration SECONDS          "3m12s"
#   step                      runs a long command with a log and a progress line
#   beside LOG COMMAND...     starts a command in the background, which ends with the script
#   need_cmd PROGRAM:PACKAGE  installs what is missing, or says how to
#   need_space DIR MB WHAT    ends the script when the disk has less
#   debian_mirror             prints the address of the Debian mirror that apt uses
#   lock FILE                 one process at a time
# Messages go to standard error, so that a script's output can be read by another.

ROOT=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
BUILD=$(realpath -m -- "${BUILD:-$ROOT/build}")
CACHE=$(realpath -m -- "${CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/scx-enq-immed}")
# The root file system of builds and guests; / when the machine's own tools are used.
TOOLROOT=$BUILD/toolroot
case ${WORKBENCH_TOOLS:-toolroot} in
toolroot) ;;
host) TOOLROOT=/ ;;
*)
	echo "error: WORKBENCH_TOOLS is '$WORKBENCH_TOOLS'; it can be 'toolroot' or 'host'" >&2
	exit 2
	;;
esac
[ -z "${TREE:-}" ] || TREE=$(realpath -m -- "$TREE")
export ROOT BUILD CACHE TOOLROOT

info() { printf '%s\n' "$*" >&2; }
warn() { printf 'warning: %s\n' "$*" >&2; }

# die [-s STATUS] MESSAGE. STATUS 2 (misuse, or the machine lacks something) unless
# given; 125 is for what does not build or boot, which `git bisect run` skips.
die() {
	local status=2
	if [ "$1" = -s ]; then
		status=$2
		shift 2
	fi
	printf 'error: %s\n' "$*" >&2
	exit "$status"
}

# The comment lines after the #! line of FILE, without their "# ".
header_of() { sed -n '2,/^[^#]/{/^#/!q;s/^# \{0,1\}//p}' "$1"; }

# usage: the running script's header, for -h and --help.
usage() {
	header_of "$0"
	exit 0
}

# options SPEC ARGUMENT...: reads a script's options into variables of their names, "-" being "_".
# SPEC has a word for each: NAME is a switch, its variable becomes 1; NAME= takes a value; NAME+=
# may be repeated, its variable is an array. Array arguments gets what is no option, and all after
# "--". With a word "*" in SPEC, for scripts that hand options on, it gets the first word that SPEC
# does not know and all from there on. -h and --help print the header; any other option ends the
# script.
options() {
	local spec=" $1 " name variable
	shift
	arguments=()
	while [ $# -gt 0 ]; do
		name=${1#--} variable=${name//-/_}
		if [ "$1" = -h ] || [ "$1" = --help ]; then
			usage
		elif [[ $1 == --?* && $spec == *" $name "* ]]; then
			printf -v "$variable" 1
		elif [[ $1 == --?* && $spec =~ " $name"\+?"= " ]]; then
			[ $# -ge 2 ] || die "$1 takes a value; $(_help_of)"
			if [[ $spec == *" $name= "* ]]; then
				printf -v "$variable" %s "$2"
			else
				local -n _array=$variable
				_array+=("$2")
			fi
			shift
		elif [[ $spec == *" * "* ]]; then
			arguments=("$@")
			return
		elif [ "$1" = -- ]; then
			arguments+=("${@:2}")
			return
		elif [[ $1 == -?* ]]; then
			die "unknown option '$1'; $(_help_of)"
		else
			arguments+=("$1")
		fi
		shift
	done
}

# What to run to read the running script's header.
_help_of() {
	local script
	script=$(realpath --relative-to="$ROOT" -- "$0")
	case $script in
	commands/*) echo "'./workbench help ${script#*/}' lists the options" ;;
	*) echo "'$script --help' lists the options" ;;
	esac
}

duration() {
	if [ "$1" -ge 60 ]; then
		printf '%dm%02ds' $(($1 / 60)) $(($1 % 60))
	else
		printf '%ds' "$1"
	fi
}

# Prints, until killed or until the step's shell is gone, how long the step has run
# and the last line of its log: on a terminal in place, otherwise a line every 30 s.
_progress() {
	local shell=$1 label=$2 expected=$3 log=$4 start=$SECONDS width last line
	# Its last sleep outlives the step and must not hold the step's lock.
	[ -z "${_lock_fd:-}" ] || exec {_lock_fd}>&-
	while sleep 1 && kill -0 "$shell" 2>/dev/null; do
		line="    $(duration $((SECONDS - start))) of about $(duration "$expected")"
		if [ -t 2 ]; then
			width=$(tput cols 2>/dev/null || echo 80)
			last=$(tail -c 400 "$log" 2>/dev/null | tr -d '\r\033' | tail -n 1)
			line="$line  $last"
			printf '\r%s\033[K' "${line:0:width-1}" >&2
		elif [ $(((SECONDS - start) % 30)) = 0 ]; then
			info "$line: $label"
		fi
	done
}

# step LABEL EXPECTED_SECONDS LOG COMMAND...: runs COMMAND with its output in LOG.
# Says before what it does and about how long that takes, shows progress, and says
# after how long it took. When COMMAND fails, prints the last lines of LOG and its
# path, and returns COMMAND's status. COMMAND may be a function, but one that joins
# its commands with &&: `set -e` does nothing in it when step stands before a ||.
step() {
	local label=$1 expected=$2 log=$3 start=$SECONDS status=0 ticker
	shift 3
	mkdir -p "$(dirname "$log")" || die "cannot write $log"
	: >"$log" || die "cannot write $log"
	info "==> $label (about $(duration "$expected"); log: $log)"
	_progress $$ "$label" "$expected" "$log" &
	ticker=$!
	# In the foreground, so that Ctrl-C reaches COMMAND and not only this shell.
	("$@") >"$log" 2>&1 || status=$?
	kill "$ticker" 2>/dev/null || true
	wait "$ticker" 2>/dev/null || true
	[ ! -t 2 ] || printf '\r\033[K' >&2
	if [ "$status" = 0 ]; then
		info "    done in $(duration $((SECONDS - start))): $label"
	else
		info "    failed (status $status) after $(duration $((SECONDS - start))): $label;" \
			"last lines of $log:"
		tail -n 15 "$log" | sed 's/^/    | /' >&2
	fi
	return "$status"
}

# beside LOG COMMAND...: starts COMMAND in the background, with all its output in LOG. beside_pid is
# its process, to be waited for. It ends with this shell, whose EXIT trap this takes.
beside() {
	setsid "${@:2}" >"$1" 2>&1 &
	beside_pid=$!
	# Ctrl-C does not reach what runs in the background.
	trap 'kill -- "-$beside_pid" 2>/dev/null || true; wait' EXIT
}

# need_cmd PROGRAM:PACKAGE...: installs the Debian package of each PROGRAM that is
# missing, when root; otherwise ends with the line that installs them.
need_cmd() {
	local pair missing=()
	for pair; do
		command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	local line="apt-get install -y --no-install-recommends ${missing[*]}"
	[ "$(id -u)" = 0 ] || die "missing on this machine: ${missing[*]}; as root run: $line"
	command -v apt-get >/dev/null ||
		die "missing on this machine: ${missing[*]}; install them (no apt-get here)"
	step "installing ${missing[*]}" 20 "$BUILD/logs/apt-${missing[0]}.log" _apt_install \
		"${missing[@]}" ||
		die "could not install ${missing[*]}; is the network up?" \
			"Try by hand: apt-get update && $line"
}

# apt-get, one at a time: it does not wait for another one by itself.
_apt_get() {
	mkdir -p "$BUILD" && DEBIAN_FRONTEND=noninteractive flock "$BUILD/apt.lock" apt-get "$@"
}

# A fresh machine's package lists may be absent or old: update only when needed.
_apt_install() {
	_apt_get install -y --no-install-recommends "$@" && return
	_apt_get update &&
		_apt_get install -y --no-install-recommends "$@"
}

# need_space DIR MEGABYTES WHAT: ends the script when DIR's disk has less free.
need_space() {
	local dir=$1 free
	until [ -d "$dir" ]; do dir=$(dirname "$dir"); done
	free=$(($(stat -f -c '%a * %S' "$dir") / 1000000))
	[ "$free" -ge "$2" ] ||
		die "$3 needs $2 MB in $1, but $free MB are free;" \
			"make room or set BUILD and CACHE to another disk"
}

# debian_mirror: the address of the Debian archive as apt is configured here, so that
# none is written down; MIRROR overrides. Ends the script when it does not answer.
debian_mirror() {
	local mirror=${MIRROR:-} probe status=0
	[ -n "$mirror" ] || mirror=$(_apt_archive)
	if [ -z "$mirror" ]; then # no package lists yet
		_apt_get update >/dev/null 2>&1 || true
		mirror=$(_apt_archive)
	fi
	[ -n "$mirror" ] || die "apt knows no Debian archive" \
		"(run 'apt-get update' as root, or set MIRROR to the address of one)"
	probe=$(mktemp)
	/usr/lib/apt/apt-helper -o Acquire::Retries=1 -o Acquire::http::Timeout=15 \
		-o Acquire::https::Timeout=15 \
		download-file "${mirror%/}/dists/trixie/InRelease" "$probe" >/dev/null 2>&1 || status=$?
	rm -f "$probe"
	[ "$status" = 0 ] || die "$mirror does not answer with Debian 13's index;" \
		"is the network up? (MIRROR sets another mirror)"
	echo "${mirror%/}"
}

_apt_archive() {
	# shellcheck disable=SC2016 # apt's own placeholder
	apt-get indextargets --format '$(REPO_URI)' 'Label: Debian' 2>/dev/null | sort -u | sed -n 1p
}

# lock FILE: waits until no other process holds FILE, and holds it until this script ends.
lock() {
	mkdir -p "$(dirname "$1")" || die "cannot write in $(dirname "$1")"
	exec {_lock_fd}>"$1" || die "cannot write $1"
	flock -n "$_lock_fd" || {
		info "waiting for another run that holds $1"
		flock "$_lock_fd"
	}
}
