# make VERB is ./workbench VERB; make check-am TREE=/path hands TREE on.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules
Makefile: ;
%: force
	@./workbench $@
force: ;
.PHONY: force
