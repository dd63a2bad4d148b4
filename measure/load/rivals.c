// SPDX-License-Identifier: GPL-2.0
/*
 * rivals [OPTION...]: tasks that sleep and work at random, while FIFO and DEADLINE tasks take CPUs at random. Prints
 * for each time that a task slept "run NS", from the expiry of its timer until it ran, and "done NS", until its work
 * was done; at the end "rounds N" for each task, how often it slept. The same SEED gives the same sleeps and work.
 *   -m MS    how long (default 500)     -r SEED  (default 1)
 *   -w N     sleeping tasks, of the caller's policy (default 6)
 *   -b US    work of each, in 1000 instructions (default 200): half to one and a half of that
 *   -s US    sleep of each (default 2000): likewise
 *   -f US    a FIFO task pinned to every CPU, with bursts of about US; it sleeps nine times as long
 *   -a N     N FIFO tasks instead, on any CPU, with the bursts of -f
 *   -g US    sleep of each FIFO task: likewise
 *   -o N     hogs, of the caller's policy, which never sleep
 *   -d N     tasks of SCHED_DEADLINE, anywhere, with bursts of a millisecond of every ten
 *   -p       the sleeping tasks are pinned, in turn, each to a CPU
 *   -q       print nothing
 */
#include "load.h"
#include "metronome.h"
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#define MAX 64
#define SAMPLES 8192

static long long until;
static int work = 200, pause_us = 2000, burst, gap, anywhere, pinned;
static uint64_t seed = 1;

static struct task {
	pthread_t thread;
	uint64_t random;
	int cpu, n;
	unsigned int run[SAMPLES], done[SAMPLES];
} tasks[4 * MAX];

static uint64_t next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* @around, give or take half. */
static long long about(struct task *t, long long around)
{
	return around / 2 + (long long)(next(&t->random) % (uint64_t)(around + 1));
}

/* Instructions, not time: a task that does not run does not get on. */
static void spin(long long instructions)
{
	for (long long i = instructions / 2; i > 0; i--)
		__asm__ volatile("" ::: "memory");
}

/* Returns when it should have woken. */
static long long pause_for(long long ns)
{
	long long when = now() + ns;
	struct timespec t = { .tv_sec = when / 1000000000, .tv_nsec = when % 1000000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
		;
	return when;
}

static void *sleeper(void *arg)
{
	struct task *t = arg;

	prctl(PR_SET_TIMERSLACK, 1);
	if (pinned)
		pin(t->cpu);
	while (now() < until && t->n < SAMPLES) {
		long long when = pause_for(about(t, pause_us * 1000LL));

		t->run[t->n] = now() - when;
		spin(about(t, work * 1000LL));
		t->done[t->n++] = now() - when;
	}
	return NULL;
}

static void *fifo(void *arg)
{
	struct sched_param priority = { .sched_priority = 10 };
	struct task *t = arg;

	if (!anywhere)
		pin(t->cpu);
	if (sched_setscheduler(0, SCHED_FIFO, &priority))
		fail("SCHED_FIFO");
	while (now() < until) {
		pause_for(about(t, gap * 1000LL));
		spin(about(t, burst * 1000LL));
	}
	return NULL;
}

static void *hog(void *arg)
{
	while (now() < until)
		spin(10000);
	return arg;
}

static void *deadline(void *arg)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} a = { .size = sizeof(a), .policy = 6, .runtime = 8000000, .deadline = 10000000, .period = 20000000 };
	struct task *t = arg;

	if (syscall(SYS_sched_setattr, 0, &a, 0))
		fail("SCHED_DEADLINE");
	while (now() < until) {
		pause_for(about(t, 9000000));
		spin(about(t, 1000000));
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int ms = 500, sleepers = 6, deadlines = 0, hogs = 0, quiet = 0, n = 0, opt;
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);

	while ((opt = getopt(argc, argv, "m:r:w:b:s:f:a:g:d:o:pq")) != -1) {
		switch (opt) {
		case 'm': ms = atoi(optarg); break;
		case 'r': seed = atoi(optarg); break;
		case 'w': sleepers = atoi(optarg); break;
		case 'b': work = atoi(optarg); break;
		case 's': pause_us = atoi(optarg); break;
		case 'f': burst = atoi(optarg); break;
		case 'a': anywhere = atoi(optarg); break;
		case 'g': gap = atoi(optarg); break;
		case 'd': deadlines = atoi(optarg); break;
		case 'o': hogs = atoi(optarg); break;
		case 'p': pinned = 1; break;
		case 'q': quiet = 1; break;
		default: return 2;
		}
	}
	gap = gap ? gap : 9 * burst;
	const struct {
		void *(*fn)(void *);
		int nr;
	} kinds[] = {
		{ sleeper, sleepers },
		{ deadline, deadlines },
		{ fifo, anywhere ? anywhere : burst ? cpus : 0 },
		{ hog, hogs },
	};
	if (ms < 1)
		return 2;
	for (int kind = 0; kind < 4; kind++)
		if (kinds[kind].nr < 0 || kinds[kind].nr > MAX)
			return 2;
	if (!quiet)
		metronome();
	until = now() + ms * 1000000LL;
	for (int kind = 0; kind < 4; kind++) {
		for (int i = 0; i < kinds[kind].nr; i++) {
			struct task *t = &tasks[n++];

			t->random = seed * 0x9e3779b97f4a7c15ull + n * 0xbf58476d1ce4e5b9ull;
			t->cpu = i % cpus;
			errno = pthread_create(&t->thread, NULL, kinds[kind].fn, t);
			if (errno)
				fail("pthread_create");
		}
	}
	while (n--)
		pthread_join(tasks[n].thread, NULL);
	for (int i = 0; i < sleepers && !quiet; i++) {
		for (int j = 0; j < tasks[i].n; j++)
			printf("run %u\ndone %u\n", tasks[i].run[j], tasks[i].done[j]);
		printf("rounds %d\n", tasks[i].n);
	}
	return 0;
}
