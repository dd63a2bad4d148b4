// load SECONDS: a mixed load for looking at a scheduler, and what its tasks saw of it.
//
// One CPU hog more than there are CPUs; two short sleepers per CPU, which sleep 1 to 8 ms, work 0.1 ms, and measure how
// long after their timer they run; one FIFO task that every 40 ms takes one CPU after the other for 10 ms, so that
// tasks queued behind it have to wait or go elsewhere.
// Prints lines "KEY VALUE"; latencies in microseconds. Exit status 1 when it cannot start, 2 for misuse.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define MAX_SAMPLES 200000 // per sleeper; at 1 ms a sleep that is 200 s

static const long long ms = 1000000, us = 1000;
static long long end;
static int nr_cpus;

struct sleeper {
	pthread_t thread;
	unsigned int seed;
	int nr;
	long long late[MAX_SAMPLES];
};

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void sleep_until(long long when)
{
	struct timespec t = { when / 1000000000LL, when % 1000000000LL };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
		;
}

static void burn(long long ns)
{
	long long until = now() + ns;

	while (now() < until)
		;
}

static void *hog(void *arg)
{
	(void)arg;
	while (now() < end)
		;
	return NULL;
}

static void *sleeper(void *arg)
{
	struct sleeper *s = arg;
	long long when;

	prctl(PR_SET_TIMERSLACK, 1); // the default of 50 us would be measured as latency
	while (now() < end && s->nr < MAX_SAMPLES) {
		when = now() + ms + rand_r(&s->seed) % (7 * ms);
		sleep_until(when);
		s->late[s->nr++] = now() - when;
		burn(100 * us);
	}
	return NULL;
}

static void *fifo(void *bursts)
{
	cpu_set_t set;

	for (int cpu = 0; now() < end; cpu = (cpu + 1) % nr_cpus) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		sched_setaffinity(0, sizeof(set), &set);
		burn(10 * ms);
		++*(int *)bursts;
		sleep_until(now() + 30 * ms);
	}
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return (x > y) - (x < y);
}

static void start(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	if (pthread_create(thread, attr, fn, arg)) {
		perror("load: cannot start a thread (the FIFO task needs root)");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct sched_param param = { .sched_priority = 10 };
	int nr_sleepers, nr_hogs, bursts = 0, i, n = 0;
	pthread_t fifo_thread, *hogs;
	struct sleeper *sleepers;
	pthread_attr_t attr;
	long long *all;
	int seconds = argc == 2 ? atoi(argv[1]) : 0;

	if (seconds < 1) {
		fprintf(stderr, "usage: load SECONDS\n");
		return 2;
	}
	nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	nr_hogs = nr_cpus + 1;
	nr_sleepers = 2 * nr_cpus;
	hogs = calloc(nr_hogs, sizeof(*hogs));
	sleepers = calloc(nr_sleepers, sizeof(*sleepers));
	if (!hogs || !sleepers) {
		perror("load");
		return 1;
	}
	end = now() + seconds * 1000 * ms;

	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &param);
	start(&fifo_thread, &attr, fifo, &bursts);
	for (i = 0; i < nr_sleepers; i++) {
		sleepers[i].seed = i + 1;
		start(&sleepers[i].thread, NULL, sleeper, &sleepers[i]);
	}
	for (i = 0; i < nr_hogs; i++)
		start(&hogs[i], NULL, hog, NULL);

	for (i = 0; i < nr_hogs; i++)
		pthread_join(hogs[i], NULL);
	for (i = 0; i < nr_sleepers; i++) {
		pthread_join(sleepers[i].thread, NULL);
		n += sleepers[i].nr;
	}
	pthread_join(fifo_thread, NULL);

	all = malloc((n + 1) * sizeof(*all));
	if (!all || !n) {
		fprintf(stderr, "load: no sleeper ran\n");
		return 1;
	}
	for (n = i = 0; i < nr_sleepers; i++)
		for (int j = 0; j < sleepers[i].nr; j++)
			all[n++] = sleepers[i].late[j];
	qsort(all, n, sizeof(*all), by_value);

	printf("cpus %d\nhogs %d\nsleepers %d\nseconds %d\n", nr_cpus, nr_hogs, nr_sleepers, seconds);
	printf("fifo_bursts %d\nwakeups %d\n", bursts, n);
	printf("late_p50_us %lld\nlate_p99_us %lld\nlate_max_us %lld\n",
	       all[n / 2] / us, all[n * 99LL / 100] / us, all[n - 1] / us);
	return 0;
}
