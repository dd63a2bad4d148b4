/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Core scheduling: the two CPUs are the siblings of one core and share its lock.
 * Tasks 0 and 1 have a cookie each, the same or not; HI has none.
 */
#define sched_core_enabled true

bool differ;			/* the cookies of the tasks 0 and 1 do */
bool seq_valid;			/* rq->core->core_pick_seq == core_task_seq */
bool forceidle;			/* rq->core->core_forceidle_count */
byte core_cookie;		/* rq->core->core_cookie */

#define NO_COOKIE	0
#define cookie_of(t)	(t == 0 -> 1 : (t == 1 -> (differ -> 2 : 1) : NO_COOKIE))

/* the task that a sibling picked for c, which c is going to run next. NO_PICK: none. */
#define NO_PICK		4
#define stored_pick(c)	(seq_valid && rq[c].unsched -> rq[c].core_pick : NO_PICK)
#define sibling(c)	(stored_pick(1 - (c)) != NO_PICK -> stored_pick(1 - (c)) : rq[1 - (c)].curr)
#define compatible(c, t) (sibling(c) == IDLE || cookie_of(sibling(c)) == cookie_of(t))

#define core_is_open(c, t) (without(CORE_OPEN) || \
	(stored_pick(c) != NO_PICK -> stored_pick(c) == t : compatible(c, t)))
/* for the promise: what was picked is what runs, and otherwise the sibling decides */
#define core_is_next(c, t) (stored_pick(c) == t || (stored_pick(c) == NO_PICK && compatible(c, t)))
#define core_work(c)	rq[c].cb_spliced
/* c is idle as the sibling runs something else, or is about to pick for both */
#define core_forced_idle(c) (!compatible(c, rq[c].q0) || rq[1 - (c)].need_resched || rq[1 - (c)].in_balance)

/* a pick that was stored before t came isn't used */
inline core_pick_forgotten(c)
{
	rq[c].core_pick = NO_PICK
}

/*
 * kernel/sched/core.c: sched_core_enqueue() and sched_core_dequeue(): core_task_seq
 * moves. With the stored pick of a sibling, what CPU c can run changes, which it
 * notices when it picks.
 */
inline core_enqueued(c)
{
	if
	:: stored_pick(0) != NO_PICK -> excuse(1)
	:: else
	fi;
	if
	:: stored_pick(1) != NO_PICK -> excuse(0)
	:: else
	fi;
	seq_valid = false
}

#define core_hi_changed() core_enqueued(0)

#define nr_running(c)	((p[0].queued && p[0].cpu == c) + (p[1].queued && p[1].cpu == c) + hi_runnable(c))

inline core_dequeued(c, t)
{
	core_enqueued(c);
	if
	:: nr_running(c) == 1 && forceidle && rq[c].curr == IDLE -> resched_curr(c)
	:: else
	fi
}

/*
 * scx_prio_less(): the task whose turn was over first, if that's what the BPF
 * scheduler goes by, or either, as it likes.
 */
#ifdef LEGAL
bool older;
#define touch_core_sched(t) older = 1 - t
#define runs_first(a, b) (a < NR_TASKS && b != HI && (b == IDLE || a == older))
#else
#define touch_core_sched(t) skip
#define runs_first(a, b) (a < NR_TASKS && b != HI)
#endif

/* pick_task() of rq c on behalf of CPU me, into next. No dispatch, so that the lock isn't dropped. */
inline core_pick_task(c)
{
	if
	:: hi_runnable(c) -> next = HI
	:: else ->
		if
		:: rq[c].next_class > CLASS_EXT -> rq[c].next_class = CLASS_EXT	/* rq_modified_begin() */
		:: else
		fi;
		balance_one_begin(c, rq[c].curr);
		balance_one_end(c, rq[c].curr);
		if
		:: rq[c].bal_keep ->
			next = rq[c].curr;
			p[next].slice = p[next].slice || c == me
		:: else -> next = (rq[c].nr -> rq[c].q0 : IDLE)
		fi;
		rq[c].bal_keep = false;
		finish_pick(c, next)
	fi
}

/* what doesn't match the cookie of the core makes way for the idle task */
inline core_match(c)
{
	if
	:: rq[c].core_pick != IDLE && cookie_of(rq[c].core_pick) != core_cookie -> rq[c].core_pick = IDLE
	:: else
	fi;
	if
	:: rq[c].core_pick == IDLE && nr_running(c) -> forceidle = true
	:: else
	fi
}

/* queue_core_balance(): forced idle, sched_core_balance() is the first callback and drops the lock */
#define core_callback(c) (forceidle && rq[c].curr == IDLE && core_cookie && nr_running(c))
