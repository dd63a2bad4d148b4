// SPDX-License-Identifier: GPL-2.0
/* yield: sched_yield() by each of two tasks that do nothing else is one operation: two switches. */
#include "load.h"

static volatile long long *theirs;

static void answer(void)
{
	for (;;) {
		sched_yield();
		++*theirs;
	}
}

static long long run(int n)
{
	long long start = now(), before = *theirs;

	/* They may not alternate strictly. */
	for (long long mine = 0; mine + *theirs - before < 2LL * n; mine++)
		sched_yield();
	return now() - start;
}

int main(int argc, char **argv)
{
	pid_t pid;
	int status;

	theirs = shared(sizeof(*theirs));
	batch();
	pid = child(answer, 0);
	pin(0);
	status = measure(argc, argv, 5, run);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return status;
}
