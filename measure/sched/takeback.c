// SPDX-License-Identifier: GPL-2.0
/*
 * takeback WAY [-s] [-w [-p]] [-l] [-r] [-e] [-c CGROUP] [-t SLICE_US]: loads the scheduler of takeback.bpf.c, until
 * SIGINT or SIGTERM.
 *   WAY         none, hook or immed; see there
 *   -s          put tasks on busy CPUs' local DSQs, as a bad neighbour does
 *   -w          measure hand-backs: from a pinned FIFO task's wake-up to ops.enqueue() of the displaced task
 *   -p          only until the kernel puts the displaced task, before it is handed back: what no way can be faster than
 *   -l          measure for how long tasks stay on a local DSQ while its CPU runs something else
 *   -r          sub-schedulers may come below it; not all kernels can do that in this way
 *   -e          only for tasks of policy SCHED_EXT; all others are left to the fair class
 *   -c CGROUP   a sub-scheduler, for the tasks of this cgroup (a folder in /sys/fs/cgroup)
 *   -t US       slice (default 20000)
 * At the end prints "handed_back N", a line "handback NS" for each hand-back measured, and for the stays on local DSQs
 * "wait NS" for each that was not zero and "zero N", how many were. Exit status 3 when the kernel lacks what WAY takes.
 */
#include <bpf/bpf.h>
#include <scx/common.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "takeback.bpf.skel.h"

static volatile int done;

static void stop(int signal)
{
	(void)signal;
	done = 1;
}

int main(int argc, char **argv)
{
	static const char *const ways[] = { "none", "hook", "immed" };
	struct bpf_link *link;
	struct takeback *skel;
	bool measure = false, until_put = false, waits = false, root = false;
	unsigned int way = 0, zeros = 0;
	struct stat st;
	int opt;

	while (argc > 1 && way < 3 && strcmp(argv[1], ways[way]))
		way++;
	if (argc < 2 || way == 3) {
		fprintf(stderr, "usage: takeback none|hook|immed [-s] [-w [-p]] [-l] [-r] [-e] [-c CGROUP] "
				"[-t SLICE_US]\n");
		return 2;
	}
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	skel = SCX_OPS_OPEN(takeback_ops, takeback);
	if (way == 2 && !__COMPAT_ENUM_OR_ZERO("scx_enq_flags", "SCX_ENQ_IMMED")) {
		fprintf(stderr, "this kernel has no SCX_ENQ_IMMED\n");
		return 3;
	}
	skel->rodata->way = way;
	skel->rodata->slice_ns = 20000000;
	optind = 2;
	while ((opt = getopt(argc, argv, "swplrec:t:")) != -1) {
		switch (opt) {
		case 's':
			skel->rodata->stuff = true;
			break;
		case 'w':
			measure = true;
			break;
		case 'p':
			until_put = true;
			break;
		case 'l':
			waits = true;
			break;
		case 'r':
			root = true;
			break;
		case 'e':
			skel->struct_ops.takeback_ops->flags |= SCX_OPS_SWITCH_PARTIAL;
			break;
		case 'c':
			if (stat(optarg, &st)) {
				perror(optarg);
				return 2;
			}
			skel->struct_ops.takeback_ops->sub_cgroup_id = st.st_ino;
			break;
		case 't':
			skel->rodata->slice_ns = strtoull(optarg, NULL, 10) * 1000;
			break;
		default:
			return 2;
		}
	}
	if (!root) {
		skel->struct_ops.takeback_ops->sub_attach = NULL;
		skel->struct_ops.takeback_ops->sub_detach = NULL;
	}
	bpf_program__set_autoload(skel->progs.takeback_switch, way == 1);
	skel->rodata->measure_waits = waits;
	bpf_program__set_autoload(skel->progs.takeback_stays, waits);
	bpf_program__set_autoload(skel->progs.takeback_waking, measure);
	bpf_program__set_autoload(skel->progs.takeback_put, measure && until_put);

	SCX_OPS_LOAD(skel, takeback_ops, takeback, uei);
	link = SCX_OPS_ATTACH(skel, takeback_ops, takeback);
	puts("loaded");
	fflush(stdout);
	while (!done && !UEI_EXITED(skel, uei))
		usleep(20000);
	bpf_link__destroy(link);
	printf("handed_back %llu\n", (unsigned long long)skel->bss->nr_handed_back);
	for (unsigned int i = 0; i < skel->bss->nr_samples &&
				 i < sizeof(skel->bss->samples) / sizeof(skel->bss->samples[0]); i++)
		printf("handback %u\n", skel->bss->samples[i]);
	for (unsigned int i = 0; i < skel->bss->nr_waits &&
				 i < sizeof(skel->bss->waits) / sizeof(skel->bss->waits[0]); i++) {
		if (skel->bss->waits[i])
			printf("wait %u\n", skel->bss->waits[i]);
		else
			zeros++;
	}
	if (waits)
		printf("zero %u\n", zeros);
	/* What the report says goes to standard error, which may be the same file. */
	fflush(stdout);
	return UEI_REPORT(skel, uei) && !done;
}
