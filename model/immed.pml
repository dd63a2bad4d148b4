/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SCX_ENQ_IMMED: how the promise above rq_is_open() in kernel/sched/ext.c is kept
 *
 * Two CPUs, two SCX tasks (0 and 1), one task of a higher class (HI), and a
 * context elsewhere (a third CPU, an interrupt) which wakes, changes and asks.
 * Each inline has the name of the kernel function that it models and its steps
 * in the same order. Functions are in kernel/sched/ext.c unless another file is
 * named. README.md has what is coarser than the code, and why that is safe.
 *
 * One rq lock at a time is held by somebody (held). What is done under an rq
 * lock is one step with regard to the other processes, from acquire() to
 * release(). The rq lock protects all of what is modelled here but the slice, so
 * nobody can see a difference. What is also reached with only a DSQ lock, or
 * with none, is in handover.pml.
 *
 * Configurations: -DCORE (the two CPUs are SMT siblings with core scheduling),
 * -DHOTPLUG (CPU 1 goes down), -DBYPASS, -DLEGAL (the scheduler follows the
 * documentation) or -DHOSTILE (it answers with the same CPU, or asks for more).
 *
 * without(STEP) leaves STEP of the protocol out. LEFT_OUT names one.
 */
#ifndef LEFT_OUT
#define LEFT_OUT	0
#endif
#include "steps.h"

#define IMMED		1	/* SCX_ENQ_IMMED */
#define PREEMPT		2	/* SCX_ENQ_PREEMPT */
#define HEAD		4	/* SCX_ENQ_HEAD */
#define NO_SLICE	8	/* (p->scx.slice is 0 nevertheless) */

#ifdef CHANGES
#define ENQ_LAST	true		/* SCX_OPS_ENQ_LAST */
#else
#define ENQ_LAST	false
#endif
#if defined(CHANGES) || defined(CORE) || defined(LEGAL) || defined(HOSTILE) || defined(HOTPLUG) || defined(BYPASS)
#define NARROW				/* fewer kinds of insertions and of what HI does */
#define MAX_INSERTIONS	1		/* of one ops.dispatch() */
#else
#define MAX_INSERTIONS	2
#endif

#define NR_TASKS	2
#define HI		2	/* rq->curr: a task of a higher class, */
#define IDLE		3	/* or the idle task */
#define NONE		3	/* no task, no CPU */

/* sched_class, lowest first. CLASS_HI is fair, RT, deadline and stop. */
#define CLASS_IDLE	0
#define CLASS_EXT	1
#define CLASS_HI	2

/* where a task is */
#define SLEEP		0	/* not runnable */
#define BPF		1	/* with the BPF scheduler: ops_state is QUEUED */
#define LOCAL		2	/* on the local DSQ of its CPU */
#define DEFERRED	3	/* on ddsp_deferred_locals of its CPU */
#define UNLINKED	4	/* on its rq, being moved to a local DSQ: holding_cpu */
#define MIGRATING	5	/* between two rqs, sticky_cpu is set */
#define RUN		6	/* rq->curr */
#define OTHER		7	/* on the global or a bypass DSQ */

#define BY_PUT_PREV	1	/* reenq: SCX_TASK_REENQ_PREEMPTED, */
#define BY_REENQ_LOCAL	2	/* SCX_TASK_REENQ_IMMED, SCX_TASK_REENQ_KFUNC */

#define ELSEWHERE	2	/* holding_cpu: neither of the two CPUs */

typedef rq_t {
	unsigned curr : 2;
	unsigned next_class : 2;
	unsigned nr : 2;		/* local DSQ: number of tasks, */
	unsigned q0 : 2;		/* first and */
	unsigned q1 : 2;		/* second of them */
	unsigned nr_immed : 2;
	bool need_resched;		/* of curr */
	bool in_wakeup;			/* SCX_RQ_IN_WAKEUP */
	bool wakeup_pending;		/* SCX_RQ_WAKEUP_PENDING */
	bool in_balance;		/* SCX_RQ_IN_BALANCE */
	bool bal_keep;			/* SCX_RQ_BAL_KEEP */
	bool bal_cb_pending;		/* SCX_RQ_BAL_CB_PENDING */
	bool deferred_bal_cb;		/* is queued as a balance callback */
	bool deferred_irq_work;		/* is pending */
	bool reenq_requested;		/* deferred_reenq_locals isn't empty */
	bool reenq_again;		/* SCX_RQ_REENQ_AGAIN */
	bool went_idle;			/* with an IMMED task on the local DSQ, see wakeup_preempt() */
#ifdef LEGAL
	bool idle_mask;			/* idle_cpumask() */
#endif
#ifdef HOTPLUG
	bool push;			/* inactive, balance_push() mode */
	bool offline;
#endif
#ifdef BYPASS
	bool bypass;
#endif
#ifdef CORE
	unsigned core_pick : 3;		/* NO_PICK if NULL */
	bool unsched;			/* core_pick_seq != core_sched_seq */
	bool cb_spliced;		/* see do_balance_callbacks() */
#endif
};

typedef task_t {
	unsigned where : 3;
	unsigned cpu : 1;		/* task_cpu() */
	bool queued;			/* SCX_TASK_QUEUED */
	bool immed;			/* SCX_TASK_IMMED */
	bool slice;			/* is not 0 */
	bool in_custody;		/* SCX_TASK_IN_CUSTODY */
	bool opss_queued;		/* ops_state: QUEUED, otherwise NONE */
	bool sticky;			/* sticky_cpu >= 0 */
	unsigned holding : 2;		/* holding_cpu, NONE if -1 */
	unsigned ddsp_flags : 4;	/* ddsp_enq_flags */
	bool promised;			/* the promise was made and goes on */
	bool excused;			/* see promise() */
#ifdef HOSTILE
	unsigned reenq_cnt : 3;
	bool ran;			/* sum_exec_runtime moved, or it slept */
	unsigned since_ran : 4;		/* reenqueues since it got anywhere */
#endif
};

rq_t rq[2];
task_t p[NR_TASKS];
bool hi;			/* HI is runnable on CPU 0, or running if it's curr */
byte left_out = LEFT_OUT;
byte held;			/* who holds an rq lock: 0 nobody, otherwise the CPU + 1 or ELSEWHERE + 1 */
byte reenq;			/* SCX_ENQ_REENQ, and who reenqueues. This and the next line: 0 while no rq is locked */
byte ans, f, la, lb;
bool any;

#define without(step)	(left_out == step)

#define hi_runnable(c)	((c) == 0 && hi)
#define first_local_task(c)	(rq[c].nr -> rq[c].q0 : NONE)
#define curr_is_ext(c)	(rq[c].curr < NR_TASKS)

#ifdef HOTPLUG
#define scx_rq_online(c) (!rq[c].push)
#define cpu_is_on(c)	(!rq[c].offline)
#else
#define cpu_is_on(c)	true
#define scx_rq_online(c) true
#endif
#ifdef BYPASS
#define scx_bypassing(c) rq[c].bypass
#else
#define scx_bypassing(c) false
#endif
#define skips_ops_enqueue(c) (!scx_rq_online(c))

inline resched_curr(c)
{
	rq[c].need_resched = true
}

#ifdef CORE
#include "core.h"
#else
#define core_is_open(c, t) true
#define core_is_next(c, t) true
#define core_work(c)	false
#define core_forced_idle(c) false
#define sched_core_enabled false
#define core_dequeued(c, t) skip
#define core_enqueued(c) skip
#define core_hi_changed() skip
#define touch_core_sched(t) skip
#define core_pick_forgotten(c) skip
#endif

/******************************************************************************
 * The properties
 */

/* will CPU c pick t next, as things are? This isn't what rq_is_open() tests. */
#define is_next(c, t) (rq[c].need_resched && rq[c].nr && rq[c].q0 == t && !hi_runnable(c) && \
	(rq[c].curr == IDLE || (curr_is_ext(c) && !p[rq[c].curr].slice)) && core_is_next(c, t))

#define waits(c, t)	(p[t].where == LOCAL && p[t].cpu == c && p[t].immed)

/*
 * excused: While t was waiting, something came up that may keep CPU c from running
 * it and that nobody is told of, and CPU c is about to reschedule and notices then.
 * The sentence above rq_is_open() isn't literally true meanwhile, see README.md.
 */
#define promise(c, t)	(!waits(c, t) || is_next(c, t) || rq[c].in_balance || rq[c].deferred_irq_work || \
	core_work(c) || (p[t].excused && rq[c].need_resched))

#define passed_over(c, t)	(waits(c, t) && !is_next(c, t) && scx_rq_online(c))

inline excuse(c)
{
	p[0].excused = p[0].excused || waits(c, 0);
	p[1].excused = p[1].excused || waits(c, 1)
}

#define on_dsq(c, t)	((rq[c].nr >= 1 && rq[c].q0 == t) + (rq[c].nr == 2 && rq[c].q1 == t))

/* no task on two CPUs, none which nobody owns */
#define owned(t) (on_dsq(0, t) == (p[t].where == LOCAL && p[t].cpu == 0) && \
	on_dsq(1, t) == (p[t].where == LOCAL && p[t].cpu == 1) && \
	(p[t].where != RUN || rq[p[t].cpu].curr == t) && !(rq[0].curr == t && rq[1].curr == t) && \
	(p[t].where == BPF) == p[t].opss_queued && p[t].queued == (p[t].where != SLEEP && p[t].where != MIGRATING))

/* ops.dequeue(): in custody while it's with the BPF scheduler and on the way from there, and not afterwards */
#define custody(t) ((p[t].where != BPF || p[t].in_custody) && \
	(!p[t].in_custody || p[t].where == BPF || p[t].where == UNLINKED || p[t].where == MIGRATING))

/* IMMED from the insertion to the next fresh enqueue, and not afterwards */
#define kept(t)		(p[t].immed == p[t].promised)

/*
 * A task on the local DSQ of an idle CPU isn't forgotten there, whatever its flags
 * are. With SCX_OPS_ENQ_LAST, it's the BPF scheduler's job to make the CPU schedule.
 */
#define noticed(c)	(ENQ_LAST || rq[c].curr != IDLE || !rq[c].nr || rq[c].need_resched || rq[c].in_balance || \
	rq[c].deferred_irq_work || core_work(c) || core_forced_idle(c))

#define counted(c)	(rq[c].nr_immed == waits(c, 0) + waits(c, 1))
#define no_callback(c)	(!rq[c].deferred_bal_cb)

/* false: names for what the monitor asserts */
bool promise_kept;
bool one_owner;
bool one_dequeue_per_custody;
bool stays_immed;
bool not_forgotten;
bool request_carried_out;
bool nr_immed_is_right;
bool no_callback_unlocked;

/* Executable only if a property doesn't hold while no rq is locked. That it is, is the error. */
proctype monitor()
{
end:	do
	:: d_step { !held && !(promise(0, 0) && promise(0, 1) && promise(1, 0) && promise(1, 1)) ->
		assert(promise_kept) }
	:: d_step { !held && !(owned(0) && owned(1)) -> assert(one_owner) }
	:: d_step { !held && !(custody(0) && custody(1)) -> assert(one_dequeue_per_custody) }
	:: d_step { !held && !(kept(0) && kept(1)) -> assert(stays_immed) }
	:: d_step { !held && !(noticed(0) && noticed(1)) -> assert(not_forgotten) }
#ifdef HOTPLUG
	/* what is asked of a CPU that's off is done elsewhere */
	:: d_step { !held && rq[1].offline && rq[1].reenq_requested && !rq[1].deferred_irq_work ->
		assert(request_carried_out) }
#endif
	:: d_step { !held && !(counted(0) && counted(1)) -> assert(nr_immed_is_right) }
	:: d_step { !held && !(no_callback(0) && no_callback(1)) -> assert(no_callback_unlocked) }
	od
}

/*
 * An rq lock is fair. For the safety properties, that makes no difference. For
 * liveness, who wants it and was passed over once comes before those who weren't.
 */
#ifdef LIVENESS
bool passed_over[3], on_the_way[3];
#define wants(x)	(on_the_way[x] || (x < 2 && (rq[x].need_resched || rq[x].deferred_irq_work)))
#define comes_before(x)	(x != me && passed_over[x] && wants(x) && !(passed_over[me] && me < x))
#define acquire()	!held && !comes_before(0) && !comes_before(1) && !(me != 2 && passed_over[2] && on_the_way[2] && \
	!passed_over[me]) -> held = me + 1; on_the_way[me] = false; \
	passed_over[0] = me != 0 && (passed_over[0] || wants(0)); \
	passed_over[1] = me != 1 && (passed_over[1] || wants(1)); \
	passed_over[2] = me != 2 && (passed_over[2] || on_the_way[2])
#define release_for_now() on_the_way[me] = true; held = 0
#else
#define acquire()	!held -> held = me + 1
#define release_for_now() held = 0
#endif
#define release()	held = 0

inline lock_again()
{
	if
	:: held == me + 1
	:: held != me + 1 && acquire()
	fi
}

/******************************************************************************
 * kernel/sched/ext.c
 */

inline schedule_deferred(c)
{
#ifdef HOTPLUG
	if
	:: !rq[c].offline -> rq[c].deferred_irq_work = true
	:: else ->	/* irq_work_queue() on this CPU, which runs it for rq c */
		if
		:: without(OFFLINE_IRQ_WORK) -> skip
		:: else -> rq[c].deferred_irq_work = true
		fi
	fi
#else
	rq[c].deferred_irq_work = true
#endif
}

inline schedule_deferred_locked(c)
{
	if
	:: rq[c].in_wakeup -> rq[c].wakeup_pending = !without(WAKEUP_NOTED)
	:: else ->
		if
		:: rq[c].bal_cb_pending -> skip
		:: else ->
			if
			:: rq[c].in_balance -> rq[c].bal_cb_pending = true
			:: else -> schedule_deferred(c)
			fi
		fi
	fi
}

/* with slice left, the current task is going to be kept */
#define rq_is_open(c, t) ((t == first_local_task(c) || without(FIRST_TEST)) && \
	(rq[c].need_resched || without(NEED_RESCHED_TEST)) && \
	(!hi_runnable(c) || without(NR_RUNNING_TEST)) && \
	(rq[c].next_class <= CLASS_EXT || without(NEXT_CLASS_TEST)) && \
	core_is_open(c, t) && \
	(rq[c].curr == IDLE || (curr_is_ext(c) && (!p[rq[c].curr].slice || without(SLICE_TEST))) || \
	 (rq[c].curr == HI && without(CURR_CLASS_TEST))))

inline call_task_dequeue(t)
{
	if
	:: p[t].in_custody && !p[t].sticky -> p[t].in_custody = false	/* ops.dequeue() */
	:: else
	fi
}

inline local_dsq_add(c, t, flags)
{
	if
	:: rq[c].nr == 0 -> rq[c].q0 = t
	:: rq[c].nr && (flags & (HEAD | PREEMPT)) ->
		rq[c].q1 = rq[c].q0;
		rq[c].q0 = t;
		excuse(c)	/* inserted in front of an IMMED task */
	:: else -> rq[c].q1 = t
	fi;
	rq[c].nr++
}

inline local_dsq_del(c, t)
{
	if
	:: rq[c].q0 == t -> rq[c].q0 = rq[c].q1
	:: else
	fi;
	rq[c].nr--;
	rq[c].q1 = 0;
	if
	:: rq[c].nr == 0 -> rq[c].q0 = 0
	:: else
	fi
}

inline local_dsq_post_enq_immed(c, t, flags)
{
	rq[c].nr_immed++;
	if
	:: !(flags & IMMED) || rq[c].in_balance -> skip
	:: else ->
		if
		:: CLASS_EXT > rq[c].next_class && rq[c].need_resched && !without(NEXT_CLASS_RAISED) ->
			rq[c].next_class = CLASS_EXT
		:: else
		fi;
		if
		:: ((t == rq[c].curr && !without(PUT_SELF)) || !rq_is_open(c, t)) && !without(INSERT_CHECK) ->
			if
			:: without(INSIDE_INSERTION) && p[t].immed ->
				/* reenqueued on the spot, and the BPF scheduler keeps it */
				local_dsq_del(c, t);
				rq[c].nr_immed--;
				p[t].immed = false;
				p[t].promised = false;
				p[t].in_custody = true;
				p[t].opss_queued = true;
				p[t].where = BPF
			:: else -> schedule_deferred_locked(c)
			fi
		:: else
		fi
	fi
}

inline local_dsq_post_enq(c, t, flags)
{
	call_task_dequeue(t);
	if
	:: (flags & IMMED) && !skips_ops_enqueue(c) && !scx_bypassing(c) ->
		p[t].immed = true;
		p[t].promised = true
	:: else
	fi;
	core_pick_forgotten(c);
	if
	:: rq[c].in_balance -> skip
	:: else ->
		if
		:: p[t].immed && !core_is_open(c, t) -> skip
		:: else ->
			if
			:: (flags & PREEMPT) && t != rq[c].curr && curr_is_ext(c) ->
				p[rq[c].curr].slice = false;
				resched_curr(c)
			:: else ->
				if
				:: rq[c].curr == IDLE -> resched_curr(c)
				:: else
				fi
			fi
		fi
	fi;
	if
	:: p[t].immed -> local_dsq_post_enq_immed(c, t, flags)
	:: else
	fi
}

/* to the local DSQ of c. SCX_ENQ_CLEAR_OPSS is a store in either case. */
inline dispatch_enqueue(c, t, flags)
{
	d_step {
		p[t].where = LOCAL;
		local_dsq_add(c, t, flags);
		local_dsq_post_enq(c, t, flags);
		p[t].opss_queued = false
	}
}

inline dispatch_dequeue(c, t)
{
	if
	:: p[t].where == LOCAL ->
		local_dsq_del(c, t);
		if
		:: p[t].immed && !without(COUNT_LOWERED) ->
			rq[c].nr_immed--;
			p[t].excused = false;
			rq[c].went_idle = rq[c].went_idle && rq[c].nr_immed
		:: else
		fi
	:: else -> p[t].holding = NONE	/* if UNLINKED or DEFERRED, that's canceled */
	fi
}

/* what ops.enqueue() does with the task, in ans, and its enq_flags, in f */
#define KEEP		0	/* the BPF scheduler keeps it */
#define HERE		1	/* scx_bpf_dsq_insert() to the local DSQ, */
#define THERE		2	/* to that of the other CPU */
#define BYPASSED	3	/* (it isn't called) */

#if defined(LEGAL) || defined(HOSTILE)
#include "bound.h"
#else
/* any answer, right or wrong */
inline ops_enqueue(c, t)
{
	if
	:: ans = KEEP
	:: ans = HERE; f = 0
	:: ans = HERE; f = IMMED
#ifndef NARROW
	:: ans = HERE; f = HEAD
	:: ans = HERE; f = IMMED | PREEMPT
#endif
	/* written 0 by the BPF scheduler after the insertion, which makes it at least 1 */
	:: t == rq[c].curr -> ans = HERE; f = IMMED | NO_SLICE
#ifndef CORE
	:: ans = THERE; f = IMMED
#endif
	fi
}

/* and any insertion from ops.dispatch() */
inline ops_dispatch(c, t)
{
	if
	:: dst = c; flags = IMMED
	:: dst = 1 - c; flags = IMMED
#ifndef NARROW
	:: dst = c; flags = 0
	:: dst = c; flags = IMMED | PREEMPT
	:: dst = 1 - c; flags = IMMED | PREEMPT
#endif
	fi
}

#define ejected		false
#define account_reenq(c, t) skip
#define a_pass_begins()	skip
#define got_somewhere(t) skip
#define starts_to_run(t) skip
#define something_happens() skip
#define update_builtin_idle(c) skip
#endif

/*
 * The rest is as for a task from the DSQ, sticky_cpu == cpu_of(c) is in activate_task() and sched_change().
 * put_prev_task_scx() goes to call_ops_enqueue() at once, and finish_ops_enqueue() follows in any case.
 */
inline do_enqueue_task(c, t)
{
	if
	:: !without(FRESH_CLEARS) -> p[t].immed = false
	:: else
	fi;
	p[t].promised = false;
	if
	:: !scx_rq_online(c) -> ans = HERE; f = 0
	:: else ->
		if
		:: scx_bypassing(c) -> ans = BYPASSED
		:: else ->
			/* each custody was ended by one ops.dequeue() */
			assert(!p[t].in_custody);
			ops_enqueue(c, t)
		fi
	fi;
	if
	:: ans == HERE ->
		p[t].slice = !(f & NO_SLICE);
		dispatch_enqueue(c, t, f);
		p[t].slice = true	/* pick_one() sees to that */
	:: ans == THERE ->	/* direct_dispatch() */
		p[t].slice = true;
		p[t].ddsp_flags = f;
		p[t].where = DEFERRED;
		schedule_deferred_locked(c)
	:: ans == KEEP ->
		p[t].slice = true;
		p[t].in_custody = true;
		p[t].opss_queued = true;
		p[t].where = BPF
	:: ans == BYPASSED ->
		p[t].slice = true;
		p[t].where = OTHER
	fi;
	ans = 0; f = 0; reenq = 0
}

inline ops_dequeue(c, t)
{
	p[t].opss_queued = false;
	call_task_dequeue(t)
}

inline dequeue_task_scx(c, t)
{
	d_step {
		core_dequeued(c, t);	/* sched_core_dequeue() */
		ops_dequeue(c, t);
		p[t].queued = false;
		dispatch_dequeue(c, t);
		p[t].ddsp_flags = 0	/* clear_direct_dispatch() */
	}
}

inline set_next_task_scx(c, t)
{
	d_step {
		if
		:: p[t].where != LOCAL -> ops_dequeue(c, t); p[t].ddsp_flags = 0
		:: else
		fi;
		dispatch_dequeue(c, t);
		p[t].where = RUN;
		starts_to_run(t)
	}
}

inline put_prev_task_scx(c, t, next)
{
	if
	:: p[t].queued ->
		if
		:: p[t].slice && !scx_bypassing(c) &&
		   !(p[t].immed && !skips_ops_enqueue(c) && !without(PREEMPTED)) ->
			p[t].immed = false;
			p[t].promised = p[t].promised && without(PREEMPTED);
			dispatch_enqueue(c, t, HEAD)
		:: else ->
			touch_core_sched(t);
			reenq = (p[t].slice -> BY_PUT_PREV : 0);
			do_enqueue_task(c, t)
		fi
	:: else
	fi;
	if
	:: next == HI && rq[c].nr_immed && !without(PUT_CHECK) -> schedule_deferred_locked(c)
	:: else
	fi
}

/* dispatch_to_local_dsq(), the last part: t is on rq c and goes to its local DSQ */
inline wake_up_if_idle(c)
{
	if
	:: rq[c].curr == IDLE -> resched_curr(c)
	:: else
	fi
}

/*
 * dispatch_to_local_dsq(): t goes to the local DSQ of dst, c is locked. This is
 * also what consume_remote_task() and scx_dsq_move() do: c is unlocked, the rq
 * that t is on is locked, then dst, then c again.
 */
inline dispatch_to_local_dsq(c)
{
	atomic {
		src = p[t].cpu;
		p[t].opss_queued = false;
		if
		:: c == src && c == dst -> dispatch_enqueue(c, t, flags); goto moved
		:: src != dst && !scx_rq_online(dst) ->	/* task_can_run_on_remote_rq() */
			call_task_dequeue(t);
			p[t].where = OTHER;
			goto moved
		:: else
		fi;
		p[t].holding = me;
		p[t].where = UNLINKED;
		if
		:: c == src -> goto src_locked
		:: else -> release_for_now()
		fi
	}
src_locked:
	atomic {
		lock_again();
		if
		:: p[t].holding != me -> release_for_now(); goto moved	/* lost to a dequeue */
		:: p[t].holding == me && src == dst ->
			p[t].holding = NONE;
			dispatch_enqueue(dst, t, flags);
			wake_up_if_idle(dst);
			if
			:: c == dst -> goto moved
			:: else -> release_for_now(); goto moved
			fi
		:: else
		fi;
		/* move_remote_task_to_local_dsq(): deactivate_task() */
		p[t].sticky = true;
		dequeue_task_scx(src, t);
		p[t].where = MIGRATING;
		p[t].cpu = dst;
		release_for_now()
	}
	atomic {
		acquire();
		/* activate_task(): enqueue_task_scx() with sticky_cpu == cpu_of(dst) */
		if
		:: without(CORE_FLAGS_ONLY) && (flags & IMMED) -> rq[dst].in_wakeup = true
		:: else
		fi;
		p[t].queued = true;
		core_enqueued(dst);
		if
		:: !without(STICKY_CLEARED) -> p[t].sticky = false
		:: else
		fi;
		dispatch_enqueue(dst, t, flags);
		p[t].sticky = false;
		rq[dst].in_wakeup = false;
		wake_up_if_idle(dst);
		if
		:: c == dst -> goto moved
		:: else -> release_for_now(); goto moved
		fi
	}
}

inline dispatched_to_local_dsq()
{
	lock_again();
	a_pass_begins();
	t = 0; src = 0; dst = 0; flags = 0
}

#define deferred_on(c, t) (p[t].where == DEFERRED && p[t].cpu == c)

/* one step of the walk in reenq_local(): t goes to the private list, of which la and lb are the tasks */
inline local_task_should_reenq(c, t)
{
	if
	:: t != NONE ->
		if
		:: any || (p[t].immed && !rq_is_open(c, t)) ->
			account_reenq(c, t);
			if
			:: !ejected ->
				dispatch_dequeue(c, t);
				p[t].where = OTHER
			:: else ->
				/* nowhere to go, let it run from here */
				if
				:: p[t].immed ->
					p[t].immed = false;
					p[t].promised = false;
					p[t].excused = false;
					rq[c].nr_immed--
				:: else
				fi;
				t = NONE
			fi
		:: else -> t = NONE
		fi
	:: else
	fi
}

/*
 * c is locked throughout but for dispatch_to_local_dsq(), for which this goes to
 * move. At the end, it goes to ran_deferred.
 */
inline run_deferred(c)
{
	a_pass_begins();
	if
	:: rq[c].nr_immed && rq[c].curr == IDLE && core_is_open(c, first_local_task(c)) -> resched_curr(c)
	:: else
	fi;
	if
	:: rq[c].nr_immed && !rq[c].in_balance -> any = false
	:: else -> goto process_ddsp_deferred_locals
	fi;
reenq_local:
	la = first_local_task(c);
	d_step {
		lb = (rq[c].nr == 2 -> rq[c].q1 : NONE);
		/* the second is the first by then if that was taken off the DSQ */
		local_task_should_reenq(c, la);
		local_task_should_reenq(c, lb)
	}
	do
	:: la != NONE || lb != NONE ->
		if
		:: la == NONE -> la = lb; lb = NONE
		:: else
		fi;
		reenq = BY_REENQ_LOCAL;
		do_enqueue_task(c, la);
		la = NONE
	:: else -> break
	od;
	la = 0; lb = 0;
	if
	:: any -> goto reenq_again
	:: else
	fi;
process_ddsp_deferred_locals:
	/* in any order */
	if
	:: deferred_on(c, 0) -> t = 0
	:: deferred_on(c, 1) -> t = 1
	:: else -> goto process_deferred_reenq_locals
	fi;
	flags = p[t].ddsp_flags;
	p[t].ddsp_flags = 0;
	dst = 1 - c;
	goto move;
process_deferred_reenq_locals:
	if
	:: rq[c].reenq_requested ->
		rq[c].reenq_requested = false;
		any = true;
		goto reenq_local
	:: else -> goto ran_deferred
	fi;
reenq_again:
	any = false;
	if
	:: rq[c].reenq_requested && without(ONE_PASS) -> goto process_deferred_reenq_locals
	:: rq[c].reenq_requested && !without(ONE_PASS) -> rq[c].reenq_again = true; resched_curr(c)
	:: else
	fi;
	goto ran_deferred
}

#define has_ops_dispatch(c) (scx_rq_online(c) && !scx_bypassing(c))

/*
 * scx_dispatch_sched() for rq c, of which prev is the current task: ops.dispatch()
 * inserts up to two of the tasks that the BPF scheduler has, from wherever they
 * are, extends prev's slice, or does nothing. Each is flushed at once; that the
 * second may be stale when it's flushed is in handover.pml. Goes to move with a
 * task, or to dispatched.
 */
inline scx_dispatch_sched(c, prev)
{
	if
	:: has_ops_dispatch(c) && n < MAX_INSERTIONS && p[0].where == BPF -> t = 0; ops_dispatch(c, 0)
	:: has_ops_dispatch(c) && n < MAX_INSERTIONS && p[1].where == BPF -> t = 1; ops_dispatch(c, 1)
	/* consume_global_dsq(), bypass_dsq() */
	:: !n && !rq[c].nr && scx_rq_online(c) && p[0].where == OTHER -> t = 0; dst = c
	:: !n && !rq[c].nr && scx_rq_online(c) && p[1].where == OTHER -> t = 1; dst = c
	:: n = 0; goto dispatched
	:: has_ops_dispatch(c) && prev < NR_TASKS && !p[prev].slice && p[prev].queued ->
		p[prev].slice = true;
		n = 0;
		goto dispatched
	fi;
	n++;
	p[t].slice = true;
	goto move
}

/* kernel/sched/sched.h */
inline queue_balance_callback(c)
{
	if
	:: !scx_rq_online(c)	/* balance_push_callback is there, and nothing else is queued */
	:: else -> rq[c].deferred_bal_cb = true
	fi
}

inline maybe_queue_balance_callback(c, final)
{
	if
	:: rq[c].bal_cb_pending ->
		if
		:: final -> queue_balance_callback(c)
		:: else -> schedule_deferred(c)
		fi;
		rq[c].bal_cb_pending = false
	:: else
	fi
}

#define RETRY_TASK	4	/* what is picked: not HI, nor IDLE, nor a task of SCX */

/* immed_left(), finish_pick(): see to what was deferred while next was being picked for c */
#define pick_final(c)	((c == me || without(OWN_CALLBACKS)) && (next != RETRY_TASK || without(FINAL_PICK)) && \
	(scx_rq_online(c) || without(PUSH_TEST)))
#define picked_immed(c)	(next < NR_TASKS && p[next].where == LOCAL && p[next].immed && \
	(!sched_core_enabled || without(CORE_PICK_CHECK)))

inline finish_pick(c, next)
{
	if
	:: rq[c].nr_immed > (picked_immed(c) -> 1 : 0) && !(next != RETRY_TASK && without(PICK_CHECK)) &&
	   !(next == RETRY_TASK && without(RETRY_CHECK)) ->
		rq[c].bal_cb_pending = true
	:: else
	fi;
	maybe_queue_balance_callback(c, pick_final(c))
}

/* balance_one() up to ops.dispatch() */
inline balance_one_begin(c, prev)
{
	rq[c].in_balance = c == me;
	rq[c].bal_keep = false;
	if
	:: rq[c].reenq_again -> rq[c].reenq_again = false; rq[c].bal_cb_pending = true
	:: else
	fi;
	if
	:: prev < NR_TASKS && p[prev].queued && p[prev].slice && !scx_bypassing(c) -> rq[c].bal_keep = true
	:: else
	fi
}

/* and from there on. The last task is kept unless SCX_OPS_ENQ_LAST is set. */
inline balance_one_end(c, prev)
{
	if
	:: prev < NR_TASKS && p[prev].queued && ((p[prev].slice && !scx_bypassing(c)) ||
		(!rq[c].nr && (!ENQ_LAST || scx_bypassing(c) || skips_ops_enqueue(c)))) -> rq[c].bal_keep = true
	:: else
	fi;
	if
	:: c == me -> rq[c].in_balance = false
	:: else
	fi
}

/* kernel/sched/idle.c, ext_idle.c: put_prev_task_idle() and __scx_update_idle() */
inline put_prev_task_idle(c)
{
	if
	:: rq[c].nr_immed && hi_runnable(c) && !without(IDLE_CHECK) -> schedule_deferred_locked(c)
	:: else
	fi
}

/* kernel/sched/core.c */
inline put_prev_set_next_task(c, prev, next)
{
	if
	:: next == prev
	:: else ->
		if
		:: prev < NR_TASKS -> put_prev_task_scx(c, prev, next)
		:: prev == IDLE -> put_prev_task_idle(c)
		:: else
		fi;
		if
		:: next < NR_TASKS ->
			/* what was picked is still there */
			assert(p[next].queued && p[next].cpu == c && p[next].where != RUN);
			set_next_task_scx(c, next);
#ifdef CORE
			/* set_next_task_scx() with first: next may be what the sibling picked */
			if
			:: rq[c].nr_immed && !without(STORED_PICK_CHECK) -> queue_balance_callback(c)
			:: else
			fi
#endif
		:: else
		fi
	fi
}

/*
 * kernel/sched/core.c. If the CPU went idle with an IMMED task on its local DSQ
 * which is being put back, next_class is that of the idle task until the CPU
 * reschedules, and SCX isn't told. put_prev_task_idle() notices then.
 */
inline wakeup_preempt(c, class)
{
	if
	:: class > rq[c].next_class ->
		if
		:: rq[c].went_idle && rq[c].next_class == CLASS_IDLE && class == CLASS_HI -> excuse(c)
		:: else
		fi;
		if
		:: rq[c].next_class == CLASS_EXT && rq[c].nr_immed && !without(WAKEUP_CHECK) ->
			schedule_deferred_locked(c)	/* wakeup_preempt_scx() */
		:: else
		fi;
		resched_curr(c);
		rq[c].next_class = class
	:: class == CLASS_HI && class == rq[c].next_class && rq[c].curr != HI ->
		resched_curr(c)		/* wakeup_preempt_rt() and others */
	:: else
	fi
}

/* nobody looks at the rest before it's enqueued again */
inline asleep(t)
{
	p[t].where = SLEEP;
	p[t].promised = false;
	p[t].immed = false;
	p[t].slice = true;
	p[t].cpu = 0
}

#if defined(LEGAL) && defined(CORE)
#define PREEMPT_FIRST	rq[me].need_resched
#else
#define PREEMPT_FIRST	false
#endif

proctype this_cpu(byte me)
{
	byte prev, next, t, src, dst, flags, n;
#ifdef CORE
	byte round, i, found;
#define DISPATCH_RQ	i	/* the rq that is dispatched for, otherwise me */
#else
#define DISPATCH_RQ	me
#endif

again:
	do
	/* deferred_irq_workfn() */
	:: rq[me].deferred_irq_work && cpu_is_on(me) ->
irq:
		atomic {
			acquire();
			rq[me].deferred_irq_work = false;
			goto deferred
		}
	/* __schedule() of kernel/sched/core.c: preempted, */
	:: atomic {
			rq[me].need_resched && cpu_is_on(me) && acquire();
			prev = rq[me].curr;
			goto pick_again
		}
	/* or the current task sleeps */
	:: atomic {
			curr_is_ext(me) && p[rq[me].curr].where == RUN && acquire();
			prev = rq[me].curr;
			dequeue_task_scx(me, prev);
			asleep(prev);
			got_somewhere(prev);
			goto pick_again
		}
	:: atomic {
			rq[me].curr == HI && hi && acquire();
			prev = HI;
			hi = false;
			core_hi_changed();
			something_happens();
			goto pick_again
		}
#ifdef LIVENESS
	/* or a task of a higher class goes on and on */
	:: atomic { rq[me].curr == HI && hi && !wants(me) -> skip }
#endif
	/* task_tick_scx() */
	:: atomic {
			curr_is_ext(me) && p[rq[me].curr].slice && acquire();
			p[rq[me].curr].slice = false;
			got_somewhere(rq[me].curr);
			touch_core_sched(rq[me].curr);
			resched_curr(me);
			release()
		}
	od;

#ifdef CORE
#include "core_pick.h"
#else
pick_again:
	atomic {
		/* __pick_next_task() */
		if
		:: hi_runnable(me) -> next = HI; goto picked
		:: else
		fi;
		/* pick_one() */
		if
		:: rq[me].next_class > CLASS_EXT -> rq[me].next_class = CLASS_EXT	/* rq_modified_begin() */
		:: else
		fi;
		balance_one_begin(me, prev);
		if
		:: rq[me].bal_keep || rq[me].nr -> goto dispatched
		:: else -> goto dispatch
		fi
	}
dispatch:
	atomic {
		scx_dispatch_sched(me, prev)
	}
dispatched:
	atomic {
		balance_one_end(me, prev);
		if
		:: rq[me].next_class > CLASS_EXT -> next = RETRY_TASK	/* rq_modified_above() */
		:: else ->
			if
			:: rq[me].bal_keep -> next = prev; p[prev].slice = true
			:: else -> next = (rq[me].nr -> rq[me].q0 : IDLE)
			fi
		fi;
		rq[me].bal_keep = false;
		finish_pick(me, next);
		if
		:: next == RETRY_TASK -> goto prev_balance
		:: else -> goto picked
		fi
	}
	/* __pick_next_task() starts over with prev_balance(), which can drop the lock, e.g. in pull_rt_task() */
prev_balance:
	atomic {
		if
		:: release_for_now()
		:: goto pick_again
		fi
	}
	atomic {
		acquire();
		goto pick_again
	}
#endif

picked:
	atomic {
		put_prev_set_next_task(me, prev, next);
		rq[me].next_class = (next == HI -> CLASS_HI : (next == IDLE -> CLASS_IDLE : CLASS_EXT));
		rq[me].need_resched = false;
		rq[me].curr = next;
		update_builtin_idle(me);	/* __scx_update_idle() */
		p[0].excused = p[0].excused && p[0].cpu != me;
		p[1].excused = p[1].excused && p[1].cpu != me;
		rq[me].went_idle = next == IDLE && rq[me].nr_immed;
		prev = 0; next = 0;
		/* __balance_callbacks() */
#ifdef CORE
		/* what the sibling can run isn't known before it picks */
		excuse(1 - me);
		if
		:: core_callback(me) ->
			rq[me].cb_spliced = rq[me].deferred_bal_cb;
			rq[me].deferred_bal_cb = false;
			release_for_now();
			goto sched_core_balance
		:: else
		fi;
#endif
		if
		:: rq[me].deferred_bal_cb -> rq[me].deferred_bal_cb = false
		:: else ->
#ifdef CORE
			/* passed over for a task of SCX: an irq work can come after the sibling's next pick */
			assert(rq[me].curr >= NR_TASKS || !(passed_over(me, 0) || passed_over(me, 1)));
#endif
			goto ran_deferred
		fi
	}
deferred:
	atomic {
#ifdef CORE
		i = me;
#endif
		run_deferred(me)
	}
#ifdef CORE
sched_core_balance:
	atomic {
		acquire();
		if
		:: rq[me].cb_spliced -> rq[me].cb_spliced = false; goto deferred
		:: else -> goto ran_deferred
		fi
	}
#endif
	/* of either */
move:
	dispatch_to_local_dsq(DISPATCH_RQ);
moved:
	atomic {
		dispatched_to_local_dsq();
		if
		:: n -> goto dispatch
		:: else -> goto process_ddsp_deferred_locals
		fi
	}
ran_deferred:
	atomic {
#ifdef CORE
		i = 0;
#endif
		release();
		/* interrupts are on again: a pending one is next */
		if
#if defined(LEGAL) && defined(CORE)
		/* at the end of an interrupt, as everywhere but where preemption is disabled */
		:: rq[me].need_resched -> goto preempt
#endif
		:: !PREEMPT_FIRST && rq[me].deferred_irq_work && cpu_is_on(me) -> goto irq
		:: !PREEMPT_FIRST && !(rq[me].deferred_irq_work && cpu_is_on(me)) -> goto again
		fi
	}
#if defined(LEGAL) && defined(CORE)
preempt:
	atomic {
		acquire();
		prev = rq[me].curr;
		goto pick_again
	}
#endif
}

/* what happens from elsewhere: on a third CPU, or in an interrupt on one of the two */

#define may_wake(t)	(p[t].where == SLEEP && rq[0].curr != t && rq[1].curr != t)

/* ttwu_do_activate() of kernel/sched/core.c */
inline ttwu_do_activate(t)
{
	if
	:: c = 0
	:: scx_rq_online(1) -> c = 1
	fi;
	p[t].cpu = c;
	rq[c].in_wakeup = true;		/* enqueue_task_scx() */
	touch_core_sched(t);
	p[t].queued = true;
	core_enqueued(c);
	do_enqueue_task(c, t);
	rq[c].in_wakeup = false;
	something_happens();
	wakeup_preempt(c, CLASS_EXT)
}

/* sched_change_begin() and sched_change_end() of kernel/sched/core.c: nice, weight, affinity, cgroup */
inline sched_change(t)
{
	c = p[t].cpu;
	i = p[t].where == RUN;
	dequeue_task_scx(c, t);
	p[t].queued = true;
	core_enqueued(c);
	if
	:: i ->
		/* enqueue_task_scx() with ENQUEUE_RESTORE: sticky_cpu == cpu_of(c) in do_enqueue_task() */
		if
		:: without(RESTORE_KEEPS) -> p[t].immed = false
		:: else
		fi;
		dispatch_enqueue(c, t, 0);
		set_next_task_scx(c, t)
	:: else -> do_enqueue_task(c, t)
	fi;
	c = 0; i = 0
}

proctype elsewhere()
{
	byte me = ELSEWHERE, c, i, t, src, dst, flags;

again:
	do
	:: atomic {
			if
			:: may_wake(0) && acquire(); t = 0
			:: may_wake(1) && acquire(); t = 1
			fi;
			ttwu_do_activate(t);
			t = 0;
			goto task_woken_scx
		}

#ifdef CHANGES
	:: atomic {
			if
			:: p[0].queued && acquire(); t = 0
#ifdef LEGAL
			:: p[1].queued && acquire(); t = 1
#endif
			fi;
			sched_change(t);
			something_happens();
			release();
			t = 0
		}
#endif

	/* A higher class: HI wakes up on CPU 0. Push, pull and attach do the same. */
	:: atomic {
			!hi && rq[0].curr != HI && acquire();
			hi = true;
			core_hi_changed();
			something_happens();
			wakeup_preempt(0, CLASS_HI);
			release()
		}
	/* It's throttled, or goes to another CPU. */
	:: atomic {
			hi && acquire();
			hi = false;
			core_hi_changed();
			something_happens();
			if
			:: rq[0].curr == HI -> resched_curr(0)
			:: else
			fi;
			release()
		}
#ifndef NARROW
	/* It gets budget. Replenishment and unthrottling call resched_curr() and nothing else. */
	:: atomic {
			!hi && acquire();
			hi = true;
			core_hi_changed();
			something_happens();
			resched_curr(0);
			excuse(0);
			release()
		}
	/*
	 * It was on SCX, with the BPF scheduler, and is raised by sched_setscheduler():
	 * switched_from_scx(), then switched_to_rt() and others, which only reschedule.
	 */
	:: atomic {
			!hi && rq[0].curr != HI && acquire();
			if
			:: rq[0].nr_immed && !without(SWITCHED_CHECK) -> schedule_deferred_locked(0)
			:: else
			fi;
			hi = true;
			core_hi_changed();
			something_happens();
			resched_curr(0);
			release()
		}
	/* A BPF program writes the slice of a current task, without a lock. */
	:: atomic {
			if
			:: !held && curr_is_ext(0) && p[rq[0].curr].where == RUN -> c = 0
			:: !held && curr_is_ext(1) && p[rq[1].curr].where == RUN -> c = 1
			fi;
			p[rq[c].curr].slice = !p[rq[c].curr].slice;
			excuse(c);
			c = 0
		}
#endif
#ifdef HOTPLUG
	/* CPU 1 goes down: sched_cpu_deactivate(), after which it's in balance_push() mode, */
	:: atomic {
			!rq[1].push && acquire();
			rq[1].push = true;
			release()
		}
	/* and, when it has nothing to do, off */
	:: atomic {
			rq[1].push && !rq[1].offline && rq[1].curr == IDLE && !rq[1].nr && !rq[1].need_resched &&
			!rq[1].deferred_irq_work && acquire();
			rq[1].offline = true;
			release()
		}
	/* scx_bpf_dsq_reenq() for it */
	:: atomic {
			!held && rq[1].push && !rq[1].reenq_requested;
			rq[1].reenq_requested = true;
			schedule_deferred(1)
		}
	/* deferred_irq_workfn() for a CPU that's off */
	:: atomic {
			rq[1].offline && rq[1].deferred_irq_work && acquire();
			rq[1].deferred_irq_work = false;
			c = 1;
			goto deferred
		}
#endif
#ifdef BYPASS
	/* scx_bypass(), CPU by CPU. Those who don't run are enqueued anew. */
	:: atomic {
			if
			:: !rq[0].bypass && acquire(); i = 0
			:: rq[0].bypass && !rq[1].bypass && acquire(); i = 1
			fi;
			rq[i].bypass = true;
			t = 0;
			do
			:: t < NR_TASKS && p[t].queued && p[t].cpu == i && p[t].where != RUN ->
				dequeue_task_scx(i, t);
				p[t].queued = true;
				core_enqueued(i);
				do_enqueue_task(i, t);
				t++
			:: t < NR_TASKS && !(p[t].queued && p[t].cpu == i && p[t].where != RUN) -> t++
			:: t == NR_TASKS -> break
			od;
			t = 0; i = 0;
			release()
		}
#endif
#ifdef CHANGES
	/* schedule_dsq_reenq(), for scx_bpf_dsq_reenq() */
	:: atomic {
			!held && !rq[0].reenq_requested;
			rq[0].reenq_requested = true;
			something_happens();
			schedule_deferred(0)
		}
#endif
	od;

task_woken_scx:
	atomic {
		if
		:: rq[c].wakeup_pending -> rq[c].wakeup_pending = false
		:: else -> goto ran_deferred
		fi
	}
deferred:
	atomic {
		run_deferred(c)
	}
move:
	dispatch_to_local_dsq(c);
moved:
	atomic {
		dispatched_to_local_dsq();
		goto process_ddsp_deferred_locals
	}
ran_deferred:
	atomic {
		release();
		c = 0;
		goto again
	}
}

init {
	d_step {
		c_code { char *s = getenv("LEFT_OUT"); if (s) now.left_out = atoi(s); };
		rq[0].curr = IDLE; rq[1].curr = IDLE;
		p[0].holding = NONE; p[1].holding = NONE;
		p[0].slice = true; p[1].slice = true;
#ifdef LEGAL
		rq[0].idle_mask = true; rq[1].idle_mask = true;
#endif
#ifdef CORE
		rq[0].core_pick = NO_PICK; rq[1].core_pick = NO_PICK;
#endif
		skip
	}
	atomic {
#ifdef CORE
		if
		:: differ = true
		:: differ = false
		fi;
#endif
		run this_cpu(0);
		run this_cpu(1);
		run elsewhere()
#ifndef LIVENESS
		;
		run monitor()
#endif
	}
}

#ifdef LIVENESS
/* Each insertion is followed by running or by ops.enqueue(). Task 1 does what task 0 does. */
#define waiting		(p[0].where == LOCAL && p[0].immed)
ltl answered { [] (waiting -> <> !waiting) }
#endif
