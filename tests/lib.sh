# Sourced by the tests: the assertions. Each one prints what it wanted and what it got, and ends the
# test.
# shellcheck shell=bash

fail() {
	printf 'FAIL: %s\n' "$*" >&2
	exit 1
}
skip() {
	printf '%s\n' "$*"
	exit 4
}

# expect STATUS PATTERN CMD...: CMD ends with STATUS and its output (both streams) has a line
# matching the extended regular expression PATTERN ('' for none asked).
expect() {
	local want=$1 pattern=$2 rc=0 out
	shift 2
	out=$("$@" 2>&1) || rc=$?
	[ "$rc" = "$want" ] || fail "status $rc instead of $want: $*"$'\n'"$out"
	[ -z "$pattern" ] || grep -Eq -- "$pattern" <<<"$out" ||
		fail "no line matches '$pattern': $*"$'\n'"$out"
}

# same WHAT A B: the two texts are equal.
same() { [ "$2" = "$3" ] || fail "$1 differs:"$'\n'"$(diff <(echo "$2") <(echo "$3"))"; }

# same_files A B: the two files or directories have equal contents.
same_files() { diff -ru "$1" "$2" || fail "$1 and $2 differ"; }
