// SPDX-License-Identifier: GPL-2.0
/*
 * displace N [QUEUED]: a task that never sleeps, pinned to the last CPU, is displaced there N times by a pinned FIFO
 * task that wakes at random. QUEUED more such tasks wait for that CPU. Prints nothing: measure/sched/takeback -w
 * measures.
 */
#include "load.h"

#define MAX 64

static void hog(void)
{
	for (;;)
		__asm__ volatile("" ::: "memory");
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 0, queued = argc > 2 ? atoi(argv[2]) : 0;
	int cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	struct sched_param priority = { .sched_priority = 10 };
	unsigned int random = 1;
	pid_t hogs[MAX + 1];

	if (n < 1 || queued < 0 || queued > MAX || argc > 3) {
		fprintf(stderr, "usage: displace N [QUEUED]\n");
		return 2;
	}
	/* First, as it would wait behind them afterwards. They have the policy that they would have without it. */
	pin(cpu);
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority))
		fail("SCHED_FIFO");
	for (int i = 0; i <= queued; i++)
		hogs[i] = child(hog, cpu);
	while (n--) {
		struct timespec t = {};

		random = random * 1103515245 + 12345;
		t.tv_nsec = 300000 + (random >> 8) % 700000;
		nanosleep(&t, NULL);
	}
	/* All before the first is waited for: each dies when it gets on, and then the next one is on at once. */
	for (int i = 0; i <= queued; i++)
		kill(hogs[i], SIGKILL);
	for (int i = 0; i <= queued; i++)
		waitpid(hogs[i], NULL, 0);
	return 0;
}
