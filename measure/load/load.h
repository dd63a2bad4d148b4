/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the loads share. Each is `LOAD N ROUNDS`: does N operations, ROUNDS times after a warm-up, and prints for every
 * round one line, the nanoseconds per operation. Under guest/boot --icount a nanosecond is one instruction.
 * A round is cut into parts of a few operations and its figure is the median part's: ticks, and what else comes by once
 * in a while, hit some parts and not others, and how many of them is luck.
 * Everything runs on CPU 0 unless the load says otherwise: a pair that may choose settles on one CPU or on two, and the
 * figure then has two values. Exit status 1 when the load cannot run, 2 for misuse.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static inline long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline void fail(const char *what)
{
	perror(what);
	exit(1);
}

static inline void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("sched_setaffinity");
}

/* Memory that a child shares, zeroed. */
static inline void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		fail("mmap");
	return p;
}

/*
 * Under the fair class, no wake-up of a SCHED_BATCH task preempts. Those of other tasks do or do not according to small
 * differences in time, and a load's figure has two values.
 */
static inline void batch(void)
{
	struct sched_param none = {};

	if (sched_setscheduler(0, SCHED_BATCH, &none))
		fail("sched_setscheduler");
}

/* A child on @cpu that runs @fn and ends with its parent. */
static inline pid_t child(void (*fn)(void), int cpu)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin(cpu);
	fn();
	_exit(0);
}

/* Where measure/profile begins and ends to count. */
__attribute__((noinline, used)) static void count_begin(void) { __asm__ volatile(""); }
__attribute__((noinline, used)) static void count_end(void) { __asm__ volatile(""); }

static int by_size(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return (x > y) - (x < y);
}

/*
 * @run(n) does n operations and returns the ns they took. It is called for @part operations at a time, first as a
 * warm-up.
 */
static inline int measure(int argc, char **argv, int part, long long (*run)(int n))
{
	int n = argc == 3 ? atoi(argv[1]) : 0, rounds = argc == 3 ? atoi(argv[2]) : 0, parts = (n + part - 1) / part;
	long long *ns;
	double *figures;

	if (n < 1 || rounds < 1) {
		fprintf(stderr, "usage: %s N ROUNDS\n", argv[0]);
		return 2;
	}
	ns = calloc(parts, sizeof(*ns));
	figures = calloc(rounds, sizeof(*figures));
	if (!ns || !figures)
		fail("calloc");
	for (int i = 0; i < parts / 4 + 1; i++)
		ns[i] = run(part);
	for (int i = 0; i < rounds; i++) {
		count_begin();
		for (int j = 0; j < parts; j++)
			ns[j] = run(part);
		count_end();
		qsort(ns, parts, sizeof(*ns), by_size);
		figures[i] = (double)ns[parts / 2] / part;
	}
	/* Not before all is done: the console costs instructions. */
	for (int i = 0; i < rounds; i++)
		printf("%.2f\n", figures[i]);
	return 0;
}
