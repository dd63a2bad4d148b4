// SPDX-License-Identifier: GPL-2.0
/* yield: sched_yield() by one of two tasks that do nothing else is one operation. */
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

	for (int i = 0; i < n; i++)
		sched_yield();
	/* Their yields are operations, too: scale to n of all. */
	return (now() - start) * n / (n + *theirs - before);
}

int main(int argc, char **argv)
{
	pid_t pid;
	int status;

	theirs = shared(sizeof(*theirs));
	pid = child(answer, 0);
	pin(0);
	status = measure(argc, argv, run);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return status;
}
