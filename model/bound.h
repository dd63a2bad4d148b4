/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two BPF schedulers: one which follows the documentation, and whose tasks must
 * not be reenqueued for nothing, and one which doesn't, and must be ejected.
 */
#define MAX_REPEAT	3	/* SCX_REENQ_LOCAL_MAX_REPEAT, which is 256 */
/* reenqueues for one reason, of both tasks together; core-sched passes over what was dispatched */
#ifdef CORE
#define IN_VAIN_MAX	9
#else
#define IN_VAIN_MAX	4
#endif

bool ejected;
byte in_vain;			/* reenqueues since anything else happened */
byte in_pass;			/* reenqueues in one hold of the lock */

#ifdef LEGAL
/*
 * scx_bpf_test_and_clear_cpu_idle(), and not with the CPU which the task was just
 * reenqueued from. Or it's kept for ops.dispatch().
 */
inline ops_enqueue(c, t)
{
	if
	:: rq[c].idle_mask && !reenq -> rq[c].idle_mask = false; ans = HERE; f = IMMED
	:: rq[1 - c].idle_mask -> rq[1 - c].idle_mask = false; ans = THERE; f = IMMED
	:: ans = KEEP
	fi;
	/*
	 * Each reenqueue has a reason: a task started to run, a higher class came or
	 * went. Each task may have been about to get the same two CPUs.
	 */
	if
	:: reenq == BY_REENQ_LOCAL -> in_vain++; assert(in_vain <= IN_VAIN_MAX)
	:: else
	fi
}

inline account_reenq(c, t)
{
	skip
}

#define a_pass_begins()	skip
#define got_somewhere(t) in_vain = 0
#define starts_to_run(t) in_vain = 0
#define something_happens() in_vain = 0
#define update_builtin_idle(c) rq[c].idle_mask = rq[c].curr == IDLE
#else /* HOSTILE */

/* reenqueues are answered with the same CPU, with the other, or by asking for the next one */
inline ops_enqueue(c, t)
{
	if
	:: reenq == BY_REENQ_LOCAL && !ejected ->
		in_pass++;
		/* in one hold of the lock, a bounded amount of work is done: each task once for either reason */
		assert(in_pass <= 2 * NR_TASKS);
		if
		:: ans = HERE; f = IMMED
		:: ans = THERE; f = IMMED
		:: ans = HERE; f = 0; rq[c].reenq_requested = true	/* schedule_dsq_reenq() */
		fi
	:: reenq != BY_REENQ_LOCAL && !ejected ->
		if
		:: ans = HERE; f = IMMED
		:: ans = HERE; f = IMMED | PREEMPT
		:: ans = KEEP
		fi
	:: ejected -> ans = KEEP
	fi
}

inline account_reenq(c, t)
{
	if
	:: without(IMMED_COUNTED) && !any
	:: else ->
		if
		:: p[t].ran -> p[t].reenq_cnt = 0; p[t].ran = false
		:: else
		fi;
		if
		:: p[t].reenq_cnt >= MAX_REPEAT && !without(BOUND) -> ejected = true
		:: p[t].reenq_cnt < MAX_REPEAT -> p[t].reenq_cnt++
		:: else
		fi
	fi;
	p[t].since_ran = (p[t].since_ran < 15 -> p[t].since_ran + 1 : 15);
	assert(ejected || p[t].since_ran <= MAX_REPEAT)
}

#define a_pass_begins()	in_pass = 0

inline got_somewhere(t)
{
	p[t].ran = true;
	p[t].since_ran = 0
}

inline starts_to_run(t)
{
	p[t].ran = p[t].ran || without(SHORT_RUN)
}

#define something_happens() skip
#define update_builtin_idle(c) skip
#endif

inline ops_dispatch(c, t)
{
	dst = c;
	flags = IMMED
}
