# shellcheck shell=bash disable=SC2034
# Sourced after lib/common.sh by the scripts that handle kernel trees. Gives a git that does the same for
# everybody (no user or system configuration, hooks, signatures, locale or time zone) and the names in use:
#   BASE_ID     id of the one commit of a laid v7.1 base
#   FOR71_ID    the commit of the maintainer's tree that the for-7.1 edition is made for
#   need_tree   ends the script when a directory is not the top of a git work tree

# A caller's git environment (a hook, `git bisect run --no-checkout`) points at another repository.
# shellcheck disable=SC2046 # a list of plain names
unset $(git rev-parse --local-env-vars) GIT_DEFAULT_HASH GIT_TEMPLATE_DIR GIT_EDITOR GIT_EXTERNAL_DIFF GIT_DIFF_OPTS
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_ATTR_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 GIT_PAGER=cat
export LC_ALL=C TZ=UTC

# The committer of every commit that the workbench makes, so that ids are the same everywhere.
export GIT_COMMITTER_NAME='SCX_ENQ_IMMED workbench' GIT_COMMITTER_EMAIL=workbench@localhost

# Configuration of the repository at hand is the user's too (TREE=): what matters here is set on each call.
git() {
	command git -c core.autocrlf=false -c core.safecrlf=false -c core.hooksPath=/dev/null -c core.attributesFile=/dev/null \
		-c core.excludesFile=/dev/null -c core.quotePath=true -c commit.gpgSign=false -c gc.auto=0 -c am.keepcr=false \
		-c am.threeWay=false -c apply.whitespace=warn -c advice.detachedHead=false -c diff.noprefix=false "$@"
}

BASE_ID=$(cat "$ROOT/base/v7.1/COMMIT")
FOR71_ID=$(cat "$ROOT/base/for-7.1/COMMIT")

need_tree() {
	if [ ! -e "$1/.git" ] || ! git -C "$1" rev-parse --git-dir >/dev/null 2>&1; then
		die "$1 is not the top of a git work tree"
	fi
}
