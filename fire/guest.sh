# shellcheck shell=bash
# Sourced by the scripts of fire/ that run in the guest. They load scx_qmap -I, which means "run now" with every insertion into a
# local DSQ, over demo/load.c, whose FIFO task takes one CPU after the other so that there are hand-backs; then comes the fault.
# Environment: QMAP and LOAD, the programs. Gives:
#   fail MESSAGE          ends the script and with it the test
#   poll SECONDS COMMAND  runs COMMAND until it is true, at most so long; false when it never was
#   load_start            starts the load; it ends with the script
#   getting_on            fails unless each of the load's threads gets on
#   qmap_try [COMMAND...] loads scx_qmap -I (behind COMMAND); false when it ended instead
#   qmap_load             likewise, and fails when it ended
#   qmap_busy             fails unless the loaded scheduler gets hand-backs
#   qmap_ended            true when scx_qmap has ended and no scheduler is loaded
#   qmap_unload           ends it; fails when the kernel had done so
state=/sys/kernel/sched_ext/state
# Seconds for what must happen. Only a test that fails waits so long.
limit=120
qmap_pid='' load_pid=''
trap '[ -z "$qmap_pid$load_pid" ] || kill -KILL $qmap_pid $load_pid 2>/dev/null || true' EXIT

fail() {
	echo "FAIL: $*"
	[ ! -s /tmp/qmap.out ] || tail -n 3 /tmp/qmap.out
	exit 1
}

poll() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}

load_start() {
	"$LOAD" 100000 >/dev/null &
	load_pid=$!
	poll $limit test -e "/proc/$load_pid/task" || fail "the load does not start"
}

# What each thread but the first, which waits for the others, has done: times it slept, and ticks it ran. One process reads it all,
# as that has to get on, too.
_done() {
	awk -v first="/task/$load_pid/" '
		index(FILENAME, first) { nextfile }
		/^voluntary/ { print FILENAME, $2 }
		/^[0-9]/ { print FILENAME, $14 + $15 }' /proc/"$load_pid"/task/*/{stat,status} | sed 's|/stat.* | |' | sort
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
	[ "$(wc -l <<<"$before")" -gt 4 ] || fail "the load has no threads"
	poll $limit _all_moved "$before" || fail "these tasks did not get on in $limit s: $stuck"
}

_enabled() { [ "$(<$state)" = enabled ]; }
_gone() { ! kill -0 "$qmap_pid" 2>/dev/null; }
_enabled_or_gone() { _enabled || _gone; }

qmap_try() {
	poll $limit qmap_ended || fail "there is a scheduler already"
	"$@" "$QMAP" -I >/tmp/qmap.out 2>&1 &
	qmap_pid=$!
	poll $limit _enabled_or_gone || fail "scx_qmap does not load"
	_enabled
}
# shellcheck disable=SC2120 # what it takes is for qmap_try
qmap_load() { qmap_try "$@" || fail "scx_qmap did not load"; }

_handed_back() { [ "$(awk '$1 == "SCX_EV_REENQ_IMMED" { print $2 }' /sys/kernel/sched_ext/root/events)" -gt 0 ]; }
qmap_busy() { poll $limit _handed_back 2>/dev/null || fail "no hand-back, so nothing was tested"; }

qmap_ended() {
	[ "$(<$state)" = disabled ] || return 1
	[ -z "$qmap_pid" ] || _gone || return 1
	qmap_pid=''
}

qmap_unload() {
	_gone && fail "the kernel ended scx_qmap"
	kill -INT "$qmap_pid"
	poll $limit qmap_ended || fail "scx_qmap does not unload"
}
