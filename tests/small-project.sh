# Sourced by tests: small_project makes a copy of the scripts in $TEST_TMP/p whose "kernel" is three
# files, so that preparing, applying and exporting run in a second. Sets P (the copy); in it TARBALL
# is $P.tar.xz.
# shellcheck shell=bash
source "$ROOT/tests/lib.sh"

small_project() {
	local d=$TEST_TMP/kernel before after topic
	P=$TEST_TMP/p
	mkdir -p "$P" "$d/linux-0/kernel/sched"
	cp -r "$ROOT/lib" "$ROOT/series" "$P"
	mkdir -p "$P/base/for-7.1" "$P/base/v7.1/kernel/sched" "$P/patches/v7.1"
	cp "$ROOT"/base/v7.1/{ABOUT,MESSAGE} "$P/base/v7.1"
	cp "$ROOT"/base/for-7.1/{ABOUT,COMMIT} "$P/base/for-7.1"
	rm -rf "$P/series/for-7.1/own" "$P"/series/cover/*
	for topic in 1-fixes 2-immed 3-selftests 4-watch; do
		cp "$ROOT"/tests/small-project/cover-letter.txt "$P/series/cover/$topic.txt"
	done
	export BUILD=$P/build CACHE=$P/cache
	unset TREE TARBALL

	seq 1 40 | sed -e 's/.*/line &/' -e 's/^line 38$/name_of_38/' >"$d/linux-0/kernel/sched/ext.c"
	cp "$d/linux-0/kernel/sched/ext.c" "$d/old"
	echo '*.c diff=cpp' >"$d/linux-0/.gitattributes"
	printf 'a\r\nb\n' >"$d/linux-0/crlf"
	before=$(git hash-object --no-filters "$d/old")
	printf '%s\n' '20,21d' >"$P/base/v7.1/kernel/sched/ext.c.ed"
	sed -i '20,21d' "$d/old"
	after=$(git hash-object --no-filters "$d/old")
	echo "kernel/sched/ext.c $before $after" >"$P/base/v7.1/BLOBS"
	echo "kernel/sched/ext.c 1 0000000000000000000000000000000000000000" >"$P/base/for-7.1/FILES"
	tar -C "$d" --sort=name --mtime=@0 -cJf "$P.tar.xz" linux-0
	describe_tarball
	# The id is only known once it is made.
	echo 0000000000000000000000000000000000000000 >"$P/base/v7.1/COMMIT"
	if TARBALL=$P.tar.xz "$P/series/prepare-base" 2>/dev/null; then
		fail "a base with a wrong commit id was accepted"
	fi
	sed -n 's/^the commit is \([0-9a-f]*\) instead.*/\1/p' "$BUILD/logs/prepare-base.log" \
		>"$P/base/v7.1/COMMIT"
}

describe_tarball() {
	local sum bytes
	sum=$(sha256sum <"$P.tar.xz" | cut -d ' ' -f 1)
	bytes=$(stat -c %s "$P.tar.xz")
	echo "k.tar.xz $sum $bytes pool/k.tar.xz" >"$P/base/v7.1/TARBALL"
}

# commit NAME FILE SED-EXPRESSION: a commit in the current repository.
commit() {
	sed -i -e "$3" "$2"
	git add "$2"
	GIT_AUTHOR_DATE='1700000000 +0100' GIT_COMMITTER_DATE='1700000000 +0100' \
		git -c commit.gpgSign=false -c user.name='A. Author' \
		-c user.email=author@localhost commit -q -m "$1"
}

# set_ends A B C: the first three topics end at these commits of the current repository, the last
# where branch series does.
set_ends() {
	git branch -q -f 1-fixes "$1" && git branch -q -f 2-immed "$2" &&
		git branch -q -f 3-selftests "$3" && git branch -q -f 4-watch series
}
