# shellcheck shell=bash disable=SC2034
# Sourced after lib/common.sh by the scripts that handle kernel trees. Gives a git that does the
# same for everybody (no user or system configuration, hooks, signatures, locale or time zone) and
# the names in use:
#   BASE_ID                     id of the one commit of the v7.1 base
#   FOR71_ID                    the commit of the maintainer's tree that patches/for-7.1 is made for
#   TOPICS                      the topics of the series in order (series/topics)
#   series_patches DIR [TOPIC]  the patches of a base in order, or those of one topic
#   need_topics DIR             ends the script when DIR holds patches outside of the topics
#   locate_series DIR           sets branch, base, base_name, prefix of the series in a tree, or
#                               ends the script
#   topic_ends DIR              where the topics end in a tree that locate_series has looked at,
#                               or ends the script
#   work_tree REPO DIR COMMIT   COMMIT in DIR, a work tree of REPO for the workbench alone
#   scratch_git REPO            an empty repository that shares REPO's objects and nothing else
#   format_scratch OUT SUBJECT-PREFIX BASE FROM
#                               commits of a scratch_git as patches, the same bytes everywhere
#   commit_source BRANCH OPTION...
#                               a kernel's source as a repository with one commit, the same
#                               everywhere
#   is_file FILE BYTES SHA256   whether it is that file
#   from_debian NAME POOL BYTES SHA256 [ADVICE]
#                               downloads a file of Debian's archive to CACHE/NAME
#   need_tree                   ends the script when a directory is not the top of a git work tree

# A caller's git environment (a hook, `git bisect run --no-checkout`) points at another repository.
# shellcheck disable=SC2046 # a list of plain names
unset $(git rev-parse --local-env-vars) GIT_DEFAULT_HASH GIT_TEMPLATE_DIR GIT_EDITOR \
	GIT_EXTERNAL_DIFF GIT_DIFF_OPTS
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_ATTR_NOSYSTEM=1 \
	GIT_TERMINAL_PROMPT=0 GIT_PAGER=cat
export LC_ALL=C TZ=UTC

# The committer of every commit that the workbench makes, so that ids are the same everywhere.
export GIT_COMMITTER_NAME='SCX_ENQ_IMMED workbench' GIT_COMMITTER_EMAIL=workbench@localhost

# Configuration of the repository at hand is the user's too (TREE=): what matters here is set on
# each call.
git() {
	command git -c core.autocrlf=false -c core.safecrlf=false -c core.quotePath=true \
		-c core.hooksPath=/dev/null -c core.attributesFile=/dev/null \
		-c core.excludesFile=/dev/null -c commit.gpgSign=false -c gc.auto=0 \
		-c am.keepcr=false -c am.threeWay=false -c apply.whitespace=warn \
		-c advice.detachedHead=false -c diff.noprefix=false "$@"
}

BASE_ID=$(cat "$ROOT/base/v7.1/COMMIT")
FOR71_ID=$(cat "$ROOT/base/for-7.1/COMMIT")

need_tree() {
	if [ ! -e "$1/.git" ] || ! git -C "$1" rev-parse --git-dir >/dev/null 2>&1; then
		die "$1 is not the top of a git work tree"
	fi
}

mapfile -t TOPICS < <(awk '!/^#/ && NF { print $1 }' "$ROOT/series/topics")

# series_patches DIR [TOPIC]: the patch files below DIR (patches/for-7.1 or patches/v7.1) in order,
# one a line, without cover letters; with TOPIC only that topic's.
series_patches() {
	local topic topics=("${@:2}")
	[ ${#topics[@]} -gt 0 ] || topics=("${TOPICS[@]}")
	for topic in "${topics[@]}"; do
		[ -d "$1/$topic" ] || continue
		find "$(realpath -- "$1/$topic")" -maxdepth 1 \
			-name '[0-9][0-9][0-9][0-9]-*.patch' ! -name '0000-*' | sort
	done
}

# A patch outside of the topics would be left out silently.
need_topics() {
	local stray
	[ -d "$1" ] || return 0
	stray=$(cd "$1" && find . -name '*.patch' | sed 's,^\./,,' |
		grep -vE "^($(IFS='|' && echo "${TOPICS[*]}"))/[0-9]{4}-[^/]*$" | head -n 1) || true
	[ -z "$stray" ] || die "$1/$stray is in no topic; series/topics names them: ${TOPICS[*]}"
}

# locate_series DIR: sets branch (the series' branch there), base (the commit below it), base_name
# (the base's name, which is that of its patches) and prefix (what the names of the topics' branches
# begin with).
# In the workbench's own tree these are fixed; in another one they follow from what HEAD stands on.
locate_series() {
	if [ "$(git -C "$1" rev-parse -q --verify refs/heads/base || true)" = "$BASE_ID" ]; then
		branch=series base_name=v7.1 base=$BASE_ID prefix=''
		return
	fi
	branch=scx-enq-immed prefix=scx-enq-immed-
	read -r base_name base < <("$ROOT/series/base-of" "$1" || true) ||
		die "$1 stands on no base of the series: HEAD must be commit ${FOR71_ID:0:12} of" \
			"sched_ext/for-7.1, or the v7.1 base ('series/prepare-base DIR' makes one)"
}

# topic_ends DIR: prints "TOPIC COMMIT" for each topic, where COMMIT is its last one (that of the
# topic before when it is empty). Ends the script unless the topics cut one line of commits, in
# order, up to the end of the series' branch.
topic_ends() {
	local tip topic name end before=$base last=${TOPICS[-1]} like subject
	tip=$(git -C "$1" rev-parse -q --verify "refs/heads/$branch") ||
		die "$1 has no branch $branch; './workbench tree' makes it"
	if ! git -C "$1" merge-base --is-ancestor "$base" "$tip" ||
		[ -n "$(git -C "$1" rev-list --merges "$base..$tip")" ]; then
		die "branch $branch of $1 is not one line of commits on top of ${base:0:12}; rebase it"
	fi
	for topic in "${TOPICS[@]}"; do
		name=$prefix$topic
		end=$(git -C "$1" rev-parse -q --verify "refs/heads/$name") ||
			die "$1 has no branch $name, so it is not known where topic $topic ends; set it:" \
				"git -C $1 branch $name LAST-COMMIT-OF-THE-TOPIC"
		if ! git -C "$1" merge-base --is-ancestor "$end" "$tip"; then
			# After a rebase without --update-refs it points at the commit of old.
			subject=$(git -C "$1" log -1 --format=%s "$end")
			like=$(git -C "$1" log --format='%h %s' "$base..$tip" |
				awk -v s="$subject" 'substr($0, index($0, " ") + 1) == s { print $1; exit }')
			die "branch $name of $1 is not on branch $branch; set it:" \
				"git -C $1 branch -f $name ${like:-LAST-COMMIT-OF-THE-TOPIC}" \
				"(git rebase --update-refs moves it along)"
		fi
		git -C "$1" merge-base --is-ancestor "$before" "$end" ||
			die "branch $name of $1 ends before the topic that it stands on (${before:0:12});" \
				"set one of them: git -C $1 branch -f $name COMMIT"
		if [ "$topic" = "$last" ] && [ "$end" != "$tip" ]; then
			die "branch $branch of $1 goes $(git -C "$1" rev-list --count "$end..$tip") commits" \
				"past $name, the last topic; if they belong to it:" \
				"git -C $1 branch -f $name $branch"
		fi
		echo "$topic $end"
		before=$end
	done
}

# work_tree REPO DIR COMMIT: checks COMMIT out in DIR, a work tree of REPO's besides its own; it is
# made when DIR is none. What was changed or left there is lost. A file that is the same in both
# commits is not touched.
work_tree() {
	local there ours
	there=$(git -C "$2" rev-parse --path-format=absolute --git-common-dir 2>/dev/null) || true
	ours=$(git -C "$1" rev-parse --path-format=absolute --git-common-dir) || true
	if [ "$there" != "$ours" ]; then
		rm -rf "$2"
		mkdir -p "$(dirname "$2")"
		git -C "$1" worktree prune
		git -C "$1" worktree add -q --detach "$2" "$3"
	fi
	git -C "$2" checkout -q --force --detach "$3" && git -C "$2" clean -qfdx
}

# scratch_git REPO: makes a temporary repository, removed when the script ends, and sets scratch to
# its path. It reads and writes REPO's objects, but has no configuration, refs, index or attributes
# of REPO.
scratch_git() {
	GIT_OBJECT_DIRECTORY=$(git -C "$1" rev-parse --path-format=absolute --git-path objects)
	export GIT_OBJECT_DIRECTORY
	scratch=$(mktemp -d)
	trap 'rm -rf "$scratch"' EXIT
	git init -q --template= -b scratch "$scratch"
	mkdir -p "$scratch/.git/info"
}

# format_scratch OUT SUBJECT-PREFIX BASE FROM: in a scratch_git, the commits FROM..scratch as
# numbered patches in OUT, with a cover letter made of the description of branch scratch, and
# base-commit BASE.
format_scratch() {
	local author email date
	# How function names get into hunk headers changes with git's built-in rules: pinned here.
	echo '*.[ch] diff=kernel' >.git/info/attributes
	git config diff.kernel.xfuncname \
		$'!^[ \t]*[A-Za-z_][A-Za-z_0-9]*:[[:space:]]*($|/[/*])\n^([A-Za-z_].*)$'
	# The last commit's author and date are the cover letter's: git takes them from the committer.
	{
		read -r author
		read -r email
		read -r date
	} < <(git log -1 --date=raw --format='%an%n%ae%n%ad' scratch)
	GIT_COMMITTER_NAME=$author GIT_COMMITTER_EMAIL=$email GIT_COMMITTER_DATE=$date \
		git format-patch -q -o "$1" --numbered --cover-letter --cover-from-description=subject \
		--subject-prefix="$2" --zero-commit --no-signature --no-thread --no-notes --base="$3" \
		-p --stat -M --abbrev=12 -U3 --diff-algorithm=myers --indent-heuristic \
		--src-prefix=a/ --dst-prefix=b/ --no-ext-diff --no-textconv "$4..scratch"
}

# commit_source BRANCH OPTION...: makes the current folder, an unpacked source, a repository with
# one commit of everything on BRANCH. OPTION: of git commit, for the message. For step, in which
# `set -e` is off.
commit_source() {
	git init -q --template= --object-format=sha1 -b "$1" . &&
		git config core.autocrlf false && git config gc.auto 0 && git config core.fileMode true &&
		git add -A -f . &&
		GIT_AUTHOR_NAME=$GIT_COMMITTER_NAME GIT_AUTHOR_EMAIL=$GIT_COMMITTER_EMAIL \
			GIT_AUTHOR_DATE='1780000000 +0000' GIT_COMMITTER_DATE='1780000000 +0000' \
			git commit -q --no-verify "${@:2}"
}

# is_file FILE BYTES SHA256. The exact size first: it finds most damage without reading 160 MB.
is_file() {
	[ -f "$1" ] && [ "$(stat -Lc %s "$1")" = "$2" ] &&
		echo "$3  $1" | sha256sum --status -c -
}

# from_debian NAME POOL BYTES SHA256 [ADVICE]: sees that CACHE/NAME is the file POOL of a Debian
# archive, and downloads it when it is not. Ends the script when it can't be had; ADVICE is what to
# set besides MIRROR then.
from_debian() {
	local file=$CACHE/$1 mirror
	if [ -e "$file" ]; then
		if is_file "$file" "$3" "$4"; then return; fi
		warn "$file is damaged (SHA-256 differs); downloading it again"
		rm -f "$file"
	fi
	mirror=$(debian_mirror) || exit # it has said why
	need_space "$CACHE" $(($3 / 1000000 + 20)) "$1"
	mkdir -p "$CACHE" || die "cannot write $CACHE; set CACHE to a directory that can be written"
	rm -f "$file.new"
	if ! step "downloading $1 ($(($3 / 1000000)) MB)" 15 "$BUILD/logs/download-$1.log" \
		/usr/lib/apt/apt-helper -o Acquire::Retries=2 \
		download-file "$mirror/$2" "$file.new" "SHA256:$4"; then
		rm -f "$file.new"
		die "$mirror did not give $1; set MIRROR to another Debian mirror${5:+, or $5}"
	fi
	is_file "$file.new" "$3" "$4" ||
		die "$mirror gave a damaged $1; try again${5:+, or set $5}"
	mv "$file.new" "$file"
}
