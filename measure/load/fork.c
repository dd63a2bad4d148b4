// SPDX-License-Identifier: GPL-2.0
/* fork: a child that exits at once, and waiting for it, is one operation. */
#include "load.h"

static long long run(int n)
{
	long long start = now();

	while (n--) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			fail("fork");
	}
	return now() - start;
}

int main(int argc, char **argv)
{
	batch();
	pin(0);
	return measure(argc, argv, 1, run);
}
