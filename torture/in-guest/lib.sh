# shellcheck shell=bash
# Sourced by the scripts of this folder. They load scx_qmap -I, which means "run now" with every
# insertion into a local DSQ, over demo/load.c, whose FIFO task takes one CPU after the other so
# that there are hand-backs; then comes the fault. They end with status 0 when all went well, with 4
# where the kernel cannot do it, else with a line "FAIL: ...".
# Environment: TOOLS, the folder that torture/build made. Gives what guest/lib.sh does, and:
#   fail MESSAGE          ends the script and with it the test
#   load_start [COMMAND...]   starts the load (behind COMMAND)
#   load_stop             ends it, as the end of the script does
#   getting_on            fails unless each of the load's threads gets on
#   sched_try [COMMAND...]   loads the scheduler (behind COMMAND); false when it ended instead
#   sched_load [COMMAND...]  likewise, and fails when it ended
#   sched_busy [DIR]      fails unless the scheduler, or that of sysfs folder DIR, gets hand-backs
#   sched_ended           true when the scheduler has ended and none is loaded
#   sched_unload          ends it; fails when the kernel had done so
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../../guest/lib.sh"
scheduler=("$TOOLS/build/bin/scx_qmap" -I)
root=/sys/kernel/sched_ext/root
load_pid=''
trap 'exec 2>/dev/null; jobs -p | xargs -r kill -KILL || true' EXIT

fail() {
	echo "FAIL: $*"
	[ ! -s /tmp/sched.out ] || tail -n 3 /tmp/sched.out
	exit 1
}

# shellcheck disable=SC2120 # both forms are in use
load_start() {
	"$@" "$TOOLS/load" 100000 >/dev/null &
	load_pid=$!
	poll "$sched_limit" _has_threads || fail "the load does not start"
}
_has_threads() { [ "$(find "/proc/$load_pid/task" -mindepth 1 -maxdepth 1 | wc -l)" -gt 2 ]; }
load_stop() {
	kill -KILL "$load_pid"
	wait "$load_pid" 2>/dev/null || true
}

# What each thread but the first, which waits for the others, has done: times it slept, and ticks it
# ran. One process reads it all, as that has to get on, too.
_done() {
	awk -v first="/task/$load_pid/" '
		index(FILENAME, first) { nextfile }
		/^voluntary/ { print FILENAME, $2 }
		/^[0-9]/ { print FILENAME, $14 + $15 }' /proc/"$load_pid"/task/*/{stat,status} |
		sed 's|/stat.* | |' | sort
}
# What still is as in an earlier _done, in both respects
_stuck() { comm -12 <(echo "$1") <(_done) | cut -d' ' -f1 | uniq -d; }
_all_moved() {
	stuck=$(_stuck "$1")
	[ -z "$stuck" ]
}
getting_on() {
	local before stuck=''
	before=$(_done)
	poll "$sched_limit" _all_moved "$before" ||
		fail "these tasks did not get on in $sched_limit s: $stuck"
}

sched_try() {
	poll "$sched_limit" sched_ended || fail "there is a scheduler already"
	sched_start /tmp/sched.out "$@" "${scheduler[@]}" && return
	! sched_runs || fail "the scheduler does not load"
	return 1
}
# shellcheck disable=SC2120 # what it takes is for sched_try
sched_load() { sched_try "$@" || fail "the scheduler did not load"; }

_handed_back() { [ "$(awk '$1 == "SCX_EV_REENQ_IMMED" { print $2 }' "$1/events")" -gt 0 ]; }
# shellcheck disable=SC2120 # both forms are in use
sched_busy() {
	poll "$sched_limit" _handed_back "${1:-$root}" 2>/dev/null ||
		fail "no hand-back, so nothing was tested"
}

sched_ended() {
	[ "$(sched_state)" = disabled ] || return 1
	[ -z "$sched_pid" ] || ! sched_runs || return 1
	sched_pid=''
}

sched_unload() {
	sched_runs || fail "the kernel ended the scheduler"
	sched_stop "$sched_pid" || fail "the scheduler does not end"
	poll "$sched_limit" sched_ended || fail "the scheduler does not unload"
}
