# shellcheck shell=bash
# Sourced by scripts that load a sched_ext scheduler in the guest. Gives:
#   poll SECONDS COMMAND...      runs COMMAND until it is true, at most so long; false when it never
#                                was
#   sched_state                  prints what the kernel says: enabled, disabled, ...
#   sched_start OUT COMMAND...   runs COMMAND in the background, with its output in the file OUT,
#                                until a scheduler is loaded; false when COMMAND ended instead, or
#                                didn't load one in sched_limit seconds. sched_pid is its process.
#   sched_runs [PID]             true while that process, or sched_pid, is there
#   sched_stop PID               has that process unload its scheduler; false when the kernel had
#                                ended it already, or it isn't gone in sched_limit seconds. Its
#                                exit status is in sched_status.
#   sched_limit                  seconds for what must happen; only what fails waits so long. Not
#                                to be shortened: where the guest counts instructions, its clock
#                                runs on at once while all wait for the host's files.
sched_limit=300
# shellcheck disable=SC2034 # for those who source this
sched_pid='' sched_status=''

poll() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}

sched_state() { cat /sys/kernel/sched_ext/state; }
sched_runs() { kill -0 "${1:-$sched_pid}" 2>/dev/null; }
_sched_enabled() { [ "$(sched_state)" = enabled ]; }
_sched_enabled_or_gone() { _sched_enabled || ! sched_runs; }

sched_start() {
	local out=$1
	shift
	"$@" >"$out" 2>&1 &
	sched_pid=$!
	poll "$sched_limit" _sched_enabled_or_gone && sched_runs
}

_sched_gone() { ! sched_runs "$1"; }
sched_stop() {
	local pid=$1
	sched_runs "$pid" || return 1
	kill -INT "$pid"
	poll "$sched_limit" _sched_gone "$pid" || return 1
	sched_status=0
	# shellcheck disable=SC2034 # likewise
	wait "$pid" || sched_status=$?
}
