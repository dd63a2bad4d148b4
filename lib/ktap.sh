# shellcheck shell=bash
# Sourced by what reports results in KTAP, all at the end. Gives:
#   ktap ok|not-ok|skip NAME [COMMENT]   one result more; COMMENT, of a skipped one, is why
#   ktap_note                            the lines of standard input stand above the next result
#   ktap_print                           prints them all, with the version and the plan
ktap_lines=() ktap_count=0

ktap() {
	local verdict=ok comment=${3:+ # $3}
	case $1 in
	ok) ;;
	skip) comment=" # SKIP ${3:-}" ;;
	*) verdict='not ok' ;;
	esac
	ktap_count=$((ktap_count + 1))
	ktap_lines+=("$verdict $ktap_count $2$comment")
}

ktap_note() {
	local line
	while IFS= read -r line; do ktap_lines+=("# $line"); done
}

ktap_print() { printf '%s\n' "KTAP version 1" "1..$ktap_count" "${ktap_lines[@]}"; }
