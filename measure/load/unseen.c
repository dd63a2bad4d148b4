// SPDX-License-Identifier: GPL-2.0
/*
 * unseen CASE N: N times, a task that may use the last two CPUs wakes on the last one, which an obstacle takes for 1.5
 * ms; the other CPU is idle. Prints "run NS" each time, from the expiry of its timer until it ran. For a scheduler that
 * puts the task where it was, i.e. measure/sched/takeback -s. The CASE says what the obstacle is, and when the task
 * wakes:
 *   fifo     a FIFO task, which has run for half a millisecond
 *   second   a task like the other, likewise
 *   fair     a task of the fair class, likewise; the scheduler has to be one for SCHED_EXT tasks alone (takeback -e)
 *   idle     a FIFO task, which wakes right after the task did, before the CPU has left idle
 */
#include "load.h"
#include "metronome.h"
#include <string.h>

#define POLICY_EXT 7
#define MS 1000000LL
#define PERIOD (4 * MS)
#define BURST (3 * MS / 2)
#define SAMPLES 4096

static struct {
	long long start;
	int n, is_fifo, at_once;
} *common;

static void until(long long when)
{
	struct timespec t = { .tv_sec = when / (1000 * MS), .tv_nsec = when % (1000 * MS) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
		;
}

/* When the obstacle wakes for the @i-th time. */
static long long at(int i)
{
	return common->start + i * PERIOD;
}

static void obstacle(void)
{
	struct sched_param priority = { .sched_priority = 10 };

	if (common->is_fifo && sched_setscheduler(0, SCHED_FIFO, &priority))
		fail("SCHED_FIFO");
	for (int i = 0; i < common->n; i++) {
		until(at(i) + common->at_once);
		while (now() < at(i) + BURST)
			__asm__ volatile("" ::: "memory");
	}
}

int main(int argc, char **argv)
{
	static const char *const cases[] = { "fifo", "second", "fair", "idle" };
	int cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1, n = argc == 3 ? atoi(argv[2]) : 0, which = 0;
	struct sched_param none = {};
	long long ns[SAMPLES];
	cpu_set_t both;
	pid_t pid;

	while (argc == 3 && which < 4 && strcmp(argv[1], cases[which]))
		which++;
	if (n < 1 || n > SAMPLES || which == 4 || cpu < 1) {
		fprintf(stderr, "usage: unseen fifo|second|fair|idle N, on two CPUs or more\n");
		return 2;
	}
	common = shared(sizeof(*common));
	common->n = n;
	common->is_fifo = which == 0 || which == 3;
	common->at_once = which == 3;
	common->start = now() + 2 * PERIOD;
	prctl(PR_SET_TIMERSLACK, 1);
	metronome();
	pid = child(obstacle, cpu);
	if (which == 2 && sched_setscheduler(0, POLICY_EXT, &none))
		fail("SCHED_EXT");
	CPU_ZERO(&both);
	CPU_SET(cpu, &both);
	CPU_SET(cpu - 1, &both);
	for (int i = 0; i < n; i++) {
		long long when = at(i) + (common->at_once ? 0 : MS / 2);

		/* Back from the other CPU, when the obstacle is gone. */
		until(at(i) - MS);
		pin(cpu);
		if (sched_setaffinity(0, sizeof(both), &both))
			fail("sched_setaffinity");
		until(when);
		ns[i] = now() - when;
	}
	for (int i = 0; i < n; i++)
		printf("run %lld\n", ns[i]);
	return waitpid(pid, NULL, 0) == pid ? 0 : 1;
}
