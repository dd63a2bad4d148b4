# shellcheck shell=bash
# Sourced after common.sh by the verbs that need a kernel. Gives:
#   prepare_tree              sets and exports TREE: the user's own, or the base,
#                             with the series applied
#   prepare_kernel VARIANT    likewise, and builds; sets KERNEL_OUT. VARIANT is main or
#                             the name of a config fragment that is added, as in debug
#   check_variant             sets variant, after options() with "debug variant=", to what was asked
#                             for, otherwise to main; ends the script when there is none of that
#                             name
#   announce VARIANT [SECONDS WHAT]...   says about how long everything will take

prepare_tree() {
	if [ -z "${TREE:-}" ]; then
		TREE=$BUILD/tree
		"$ROOT/series/prepare-base" "$TREE" || exit
	fi
	export TREE
	# "exit", not set -e, which is off where the caller asks for the status.
	"$ROOT/series/apply" --keep "$TREE" || exit
}

check_variant() {
	[ -z "${debug:-}" ] || variant=debug
	variant=${variant:-main}
	if [ "$variant" != main ] && [ ! -f "$ROOT/kernel/$variant.config" ]; then
		die "--variant takes the name of a kernel/NAME.config, not '$variant'"
	fi
}

# The tree and the toolroot take a CPU each, so a new machine makes both at the same time. What is
# wrong with the toolroot, kernel/build says, which asks for it again.
_prepare_tree_and_toolroot() {
	if [ "$TOOLROOT" != / ] && [ ! -d "$TOOLROOT" ]; then
		local log=$BUILD/logs/toolroot-make.log
		mkdir -p "$BUILD/logs"
		info "==> making the toolroot at the same time (log: $log)"
		beside "$log" "$ROOT/toolroot/make"
	fi
	prepare_tree
	wait
}

prepare_kernel() {
	local fragments=()
	[ "$1" = main ] || fragments=("$1")
	# In a shell of its own, for its trap.
	(_prepare_tree_and_toolroot) || exit
	export TREE=${TREE:-$BUILD/tree}
	KERNEL_OUT=$BUILD/kernel/$1
	"$ROOT/kernel/build" "$TREE" "$KERNEL_OUT" "${fragments[@]}" || exit
}

# The seconds are those measured on two CPUs; compiling is scaled to this machine's.
announce() {
	local total=5 parts=() out=$BUILD/kernel/$1
	shift
	_part() { total=$((total + $1)) parts+=("$2"); }
	if [ -z "${TREE:-}" ] && [ ! -d "$BUILD/tree" ]; then _part 45 "base tree"; fi
	[ -d "$TOOLROOT" ] || _part 60 "toolroot"
	[ -e "$out/vmlinux" ] || _part $((800 / $(nproc))) "kernel"
	while [ $# -gt 0 ]; do
		_part "$1" "$2"
		shift 2
	done
	[ ${#parts[@]} -gt 0 ] || return 0
	info "about $(duration "$total") in all, and more when the kernel has changed since:" \
		"$(printf '%s, ' "${parts[@]}" | sed 's/, $//')"
}
