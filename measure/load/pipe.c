// SPDX-License-Identifier: GPL-2.0
/*
 * pipe: one byte to a child through a pipe and back is one operation: two wake-ups, two switches.
 * pipe N ROUNDS [CPU]: the child is on CPU (default 0); on another than 0 each wake-up crosses.
 */
#include "load.h"

static int there[2], back[2];

static void answer(void)
{
	char x;

	while (read(there[0], &x, 1) == 1 && write(back[1], &x, 1) == 1)
		;
}

static long long run(int n)
{
	long long start = now();
	char x = 0;

	while (n--)
		if (write(there[1], &x, 1) != 1 || read(back[0], &x, 1) != 1)
			fail("pipe");
	return now() - start;
}

int main(int argc, char **argv)
{
	int cpu = argc == 4 ? atoi(argv[3]) : 0, status;
	pid_t pid;

	if (pipe(there) || pipe(back))
		fail("pipe");
	batch();
	pid = child(answer, cpu);
	pin(0);
	status = measure(argc == 4 ? 3 : argc, argv, 5, run);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return status;
}
