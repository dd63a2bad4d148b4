# shellcheck shell=bash
# Sourced by the verbs that measure, `measure` and `check-cost`, after lib/common.sh, lib/prepare.sh
# and series/git.sh. Gives:
#   prepare_series OUT [SECONDS WHAT]...   sets series_out to OUT, or builds the series' kernel,
#                                          says about how long all that takes, and exports TREE
#   prepare_base OUT                       sets base_out to OUT, or builds the base's kernel
#   build_programs                         builds what the guests run; sets tools and loads, folders
#   boot_short BOOTS NAME=BZIMAGE...       boots for the figure that is asserted, into short.csv
#   record                                 keeps the base's figure of short.csv, for --recorded
#   recipe, differs                        what the base's figure depends on; in what that is not
#                                          what it was for the kept one
#   recipe_of_project                      the part of recipe that the project itself decides
# and results, the folder of the figures, and kept, that of those which are committed.
results=$BUILD/results/measure
kept=$ROOT/measure/results
mkdir -p "$results"

prepare_series() {
	series_out=$1
	shift
	if [ -z "$series_out" ]; then
		announce main "$@"
		prepare_kernel main
		series_out=$KERNEL_OUT
	fi
	[ -n "${TREE:-}" ] || die "--series takes TREE, the source it was built from"
	export TREE
}

prepare_base() {
	base_out=$1
	[ -z "$base_out" ] || return 0
	base_out=$BUILD/kernel/base
	local tree=$BUILD/measure/base-tree commit base=''
	locate_series "$TREE"
	commit=$(git -C "$TREE" rev-parse "$base^{commit}")
	work_tree "$TREE" "$tree" "$commit"
	"$ROOT/kernel/build" "$tree" "$base_out" || exit
}

# One set of programs for all kernels: what differs is the kernel.
build_programs() {
	local out log=$BUILD/logs/measure-loads.log
	out=$("$ROOT/kernel/build-schedulers" "$series_out" "$TREE" scx_simple scx_qmap scx_flatcg) ||
		exit
	step "building the loads" 10 "$log" \
		"$ROOT/toolroot/enter" "$ROOT/measure/build-sched" "$TREE" "$out" ||
		die -s 125 "the loads do not build; the full output is in $log"
	tools=$out/build/bin loads=$out/loads
	show=(--show "$tools" --show "$loads")
}

boot_short() {
	local boots=$1
	shift
	"$ROOT/measure/boots" --out "$results/short.csv" --boots "$boots" --smp 1 "${show[@]}" "$@" -- \
		"$ROOT/measure/in-guest/cost" --tools "$tools" --loads "$loads" --rounds 3 --scale 50 \
		scx_simple:pipe
}

# recipe: what the base's figure depends on, a line each: its name, and what it is, or a sum of
# that. Fixes of the emulator do not change how many instructions the guest runs, nor does what
# scripts say of themselves.
recipe() {
	recipe_of_project
	echo "scheduler $(cat "$TREE"/tools/sched_ext/{scx_simple.*,include/scx/*.h} | _sum)"
	"$ROOT/toolroot/enter" "$ROOT/kernel/check-tools" "$TREE"
	"$ROOT/toolroot/enter" qemu-system-x86_64 --version |
		sed -n 's/^QEMU emulator version \([0-9]*\).*/qemu \1/p'
}
recipe_of_project() {
	echo "base $BASE_ID"
	echo "configuration $(grep -hE '^(# )?CONFIG_' "$ROOT"/kernel/{series,guest}.config | _sum)"
	echo "load $({
		sed -E '/^[[:space:]]*(#|$)/d' "$ROOT"/{measure/in-guest/cost,guest/lib.sh}
		cat "$ROOT"/measure/load/{load.h,pipe.c}
	} | _sum)"
}
_sum() { sha256sum | cut -c1-16; }
record() {
	mkdir -p "$kept"
	grep -E '^(kernel|base),' "$results/short.csv" >"$kept/short-base.csv"
	recipe >"$kept/short-base.recipe"
}
# differs: in what the recorded figure was measured otherwise, words; nothing when in nothing.
differs() {
	comm -3 <(sort "$kept/short-base.recipe") <(recipe | sort) |
		awk '{ print $1 }' | sort -u | xargs
}
