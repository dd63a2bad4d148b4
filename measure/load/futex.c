// SPDX-License-Identifier: GPL-2.0
/*
 * futex: wake a child and wait to be woken by it is one operation: two wake-ups, two switches. A third argument is the
 * child's CPU.
 */
#include "load.h"

static unsigned int *ball; /* 0: the parent's turn, 1: the child's */

/* Wait until the ball is @mine, then give it to the other. */
static void hit(unsigned int mine)
{
	while (__atomic_load_n(ball, __ATOMIC_ACQUIRE) != mine)
		syscall(SYS_futex, ball, FUTEX_WAIT, !mine, NULL, NULL, 0);
	__atomic_store_n(ball, !mine, __ATOMIC_RELEASE);
	syscall(SYS_futex, ball, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void answer(void)
{
	for (;;)
		hit(1);
}

static long long run(int n)
{
	long long start = now();

	while (n--)
		hit(0);
	return now() - start;
}

int main(int argc, char **argv)
{
	int cpu = argc == 4 ? atoi(argv[3]) : 0, status;
	pid_t pid;

	ball = shared(sizeof(*ball));
	batch();
	pid = child(answer, cpu);
	pin(0);
	status = measure(argc == 4 ? 3 : argc, argv, 5, run);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return status;
}
