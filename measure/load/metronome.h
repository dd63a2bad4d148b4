/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest that counts instructions runs its vCPUs in turn, each until a part of the time to the guest's next timer is
 * over. With far timers, one that was woken waits long for its turn. A timer that does nothing else keeps turns short.
 * To be included after load.h.
 */
#include <linux/perf_event.h>

static inline void metronome(void)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = 20000,
	};

	if (syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0) < 0)
		fail("perf_event_open");
}
