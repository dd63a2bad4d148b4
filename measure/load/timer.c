// SPDX-License-Identifier: GPL-2.0
/* timer: from the expiry of a timer on an idle CPU to its task running in user space is one operation. */
#include "load.h"

static long long run(int n)
{
	long long late = 0, when;
	struct timespec t;

	while (n--) {
		/* Short enough for the tick to go on, odd so as not to meet it each time. */
		when = now() + 97000;
		t.tv_sec = when / 1000000000;
		t.tv_nsec = when % 1000000000;
		errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		if (errno)
			fail("clock_nanosleep");
		late += now() - when;
	}
	return late;
}

int main(int argc, char **argv)
{
	prctl(PR_SET_TIMERSLACK, 1); /* the default of 50 us would be in the figure */
	batch();
	pin(0);
	return measure(argc, argv, 1, run);
}
