// SPDX-License-Identifier: GPL-2.0
/*
 * displace N: a task that never sleeps, pinned to the last CPU, is displaced there N times by a pinned FIFO task that
 * wakes at random. Prints nothing: measure/sched/takeback -w measures.
 */
#include "load.h"

static void hog(void)
{
	for (;;)
		__asm__ volatile("" ::: "memory");
}

int main(int argc, char **argv)
{
	int n = argc == 2 ? atoi(argv[1]) : 0, cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	struct sched_param priority = { .sched_priority = 10 };
	unsigned int random = 1;
	pid_t pid;

	if (n < 1) {
		fprintf(stderr, "usage: displace N\n");
		return 2;
	}
	pid = child(hog, cpu);
	pin(cpu);
	if (sched_setscheduler(0, SCHED_FIFO, &priority))
		fail("SCHED_FIFO");
	while (n--) {
		struct timespec t = {};

		random = random * 1103515245 + 12345;
		t.tv_nsec = 300000 + (random >> 8) % 700000;
		nanosleep(&t, NULL);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}
