/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who owns a task while it's handed from the BPF scheduler to a DSQ and back
 *
 * One task. CPU A runs ops.dispatch() and dispatches it without the lock of its
 * rq. CPU B holds that lock and dequeues it, reenqueues it, consumes it, runs it.
 * What they share is ops_state, holding_cpu, p->scx.flags and a user DSQ, and
 * each access is a step of its own: an update of flags is a load and a store.
 * immed.pml takes for granted what is shown here: that a task which is inserted
 * is owned by exactly one.
 *
 * Functions are in kernel/sched/ext.c.
 */
#ifndef LEFT_OUT
#define LEFT_OUT	0
#endif
#include "steps.h"

/* ops_state */
#define NONE		0
#define QUEUEING	1
#define QUEUED		2
#define DISPATCHING	3

/* p->scx.flags */
#define IN_CUSTODY	1
#define REENQ_REASON	2

/* p->scx.dsq, and the list that it's linked to */
#define NO_DSQ		0
#define USER_DSQ	1
#define LOCAL_DSQ	2

byte left_out = LEFT_OUT;
byte state = NONE;	/* ops_state: SCX_OPSS_STATE_MASK */
byte qseq;		/* and SCX_OPSS_QSEQ_MASK */
byte ops_qseq[2];	/* p->scx.ops_qseq: [0]. One for each rq if that's per rq. */
byte flags;
byte dsq = NO_DSQ;
bool linked;		/* to the DSQ */
bool deferred;		/* on ddsp_deferred_locals */
bool ddsp;		/* ddsp_dsq_id isn't SCX_DSQ_INVALID */
bool holding;		/* holding_cpu is CPU A */
bool running;
bool cpu;		/* of the task */
bool rq_locked, dsq_locked;
/* ghosts */
byte instance;		/* number of the ops.enqueue() call */
bool a_busy, b_busy;
byte dispatched;

#define without(step)	(left_out == step)
#define INSTANCES	4	/* how often the task is enqueued, in each of which all can happen */

/* Seen by nobody who works on it, the task belongs to exactly one. */
#define owners ((state == QUEUED) + (dsq == USER_DSQ && linked) + (dsq == LOCAL_DSQ && linked) + running + deferred)

/* false: names for what the monitor asserts */
bool one_owner;
bool one_dequeue_per_custody;
bool reason_cleared;

proctype monitor()
{
end:	do
	:: d_step { !a_busy && !b_busy && owners != 1 -> assert(one_owner) }
	:: d_step { !a_busy && !b_busy && ((flags & IN_CUSTODY) != 0) != (state == QUEUED || dsq == USER_DSQ) ->
		assert(one_dequeue_per_custody) }
	:: d_step { !a_busy && !b_busy && (flags & REENQ_REASON) -> assert(reason_cleared) }
	od
}

/* plain updates of p->scx.flags */
#define set_flag(flag)		tmp = flags; flags = tmp | flag
#define clear_flag(flag)	tmp = flags; flags = tmp & ~flag

inline call_task_dequeue()
{
	if
	:: flags & IN_CUSTODY -> clear_flag(IN_CUSTODY)
	:: else
	fi
}

/* CPU A: finish_dispatch() of what ops.dispatch() inserted, which may be stale */
proctype cpu_a()
{
	byte tmp, seq, inst;

end:	do
	:: atomic { dispatched < INSTANCES -> dispatched++; a_busy = true;
			seq = qseq; inst = instance }	/* scx_dsq_insert_commit() */
retry:
		if
		:: state == NONE || state == DISPATCHING -> goto done	/* someone else already got to it */
		:: state == QUEUEING -> state != QUEUEING; goto retry	/* wait_ops_state() */
		:: atomic { state == QUEUED && qseq == seq -> state = DISPATCHING; qseq = 0 }	/* try_cmpxchg */
		:: state == QUEUED && qseq != seq -> goto done
		fi;
		assert(inst == instance);	/* not a later one */
		if
		:: true ->
			/* dispatch_enqueue() to a user DSQ */
			atomic { !dsq_locked -> dsq_locked = true };
			dsq = USER_DSQ; linked = true;
			if
			:: without(CUSTODY_BEFORE_OPSS) -> state = NONE
			:: else
			fi;
			set_flag(IN_CUSTODY);
			if
			:: without(OPSS_BEFORE_UNLOCK) -> dsq_locked = false
			:: else
			fi;
			state = NONE;
			dsq_locked = false
		:: true ->
			/* dispatch_to_local_dsq(): DISPATCHING can't be held while locking the rq */
			if
			:: !without(HOLDING_CPU) -> holding = true
			:: else
			fi;
			state = NONE;
			atomic { !rq_locked -> rq_locked = true };
			if
			:: holding || without(HOLDING_CPU) ->
				holding = false;
				dsq = LOCAL_DSQ; linked = true;
				call_task_dequeue()	/* local_dsq_post_enq() */
			:: else		/* lost to a dequeue */
			fi;
			rq_locked = false
		fi;
done:
		atomic { a_busy = false; tmp = 0; seq = 0; inst = 0 }
	od
}

/* on CPU B, with the rq locked */
inline do_enqueue_task()
{
	/* not from ops.select_cpu(): there's no verdict yet */
	assert(!ddsp);
	assert(state == NONE);
	/* QUEUEING | qseq is one store */
	atomic {
		if
		:: without(QSEQ_PER_TASK) -> ops_qseq[cpu]++; qseq = ops_qseq[cpu]
		:: else -> ops_qseq[0]++; qseq = ops_qseq[0]
		fi;
		state = QUEUEING;
		instance++
	}
	/* ops.enqueue() */
	if
	:: true ->
		if
		:: !without(REASON_CLEARED_FIRST) -> clear_flag(REENQ_REASON)
		:: else
		fi;
		set_flag(IN_CUSTODY);
		state = QUEUED;
		if
		:: without(REASON_CLEARED_FIRST) -> clear_flag(REENQ_REASON)
		:: else
		fi
	:: true ->
		/* direct_dispatch() to its own rq, or to another: deferred */
		clear_flag(REENQ_REASON);
		call_task_dequeue();
		if
		:: state = NONE; qseq = 0; ddsp = true; deferred = true
		:: dsq = LOCAL_DSQ; linked = true; state = NONE; qseq = 0
		fi
	fi
}

inline dispatch_dequeue()
{
	if
	:: dsq == NO_DSQ ->
		deferred = false;
		holding = false
	:: dsq != NO_DSQ ->
		if
		:: dsq == USER_DSQ -> atomic { !dsq_locked -> dsq_locked = true }
		:: else
		fi;
		linked = false;
		if
		:: dsq == USER_DSQ -> dsq = NO_DSQ; dsq_locked = false
		:: else -> dsq = NO_DSQ
		fi
	fi
}

inline ops_dequeue()
{
	do
	:: state == NONE -> break
	:: state == QUEUED && !(flags & IN_CUSTODY) -> skip	/* cpu_relax() */
	:: atomic { state == QUEUED && (flags & IN_CUSTODY) -> state = NONE; qseq = 0 }; break
	:: state == DISPATCHING ->
		if
		:: !without(WAIT_DISPATCHING) -> state != DISPATCHING
		:: else
		fi;
		break
	od;
	call_task_dequeue()
}

proctype cpu_b()
{
	byte tmp;

end:	do
	/* sched_change_begin(), sched_change_end(): an affinity change, for example, which moves it */
	:: atomic { instance < INSTANCES && !running && !rq_locked -> rq_locked = true; b_busy = true };
		ops_dequeue();
		dispatch_dequeue();
		/* one ops.dequeue() has ended the custody, if any */
		assert(!(flags & IN_CUSTODY));
		if
		:: !without(VERDICT_CLEARED) -> ddsp = false	/* clear_direct_dispatch() */
		:: else
		fi;
		cpu = 1 - cpu;
		do_enqueue_task();
		atomic { rq_locked = false; b_busy = false; tmp = 0 }
	/* reenq_user() */
	:: atomic { instance < INSTANCES && dsq == USER_DSQ && !rq_locked -> rq_locked = true; b_busy = true };
		atomic { !dsq_locked -> dsq_locked = true };
		if
		:: dsq == USER_DSQ && linked ->
			linked = false; dsq = NO_DSQ;	/* dispatch_dequeue_locked() */
			dsq_locked = false;
			set_flag(REENQ_REASON);
			do_enqueue_task()
		:: else -> dsq_locked = false
		fi;
		atomic { rq_locked = false; b_busy = false; tmp = 0 }
	/* consume_dispatch_q(): move_local_task_to_local_dsq() */
	:: atomic { dsq == USER_DSQ && !rq_locked -> rq_locked = true; b_busy = true };
		atomic { !dsq_locked -> dsq_locked = true };
		if
		:: dsq == USER_DSQ && linked -> dsq = LOCAL_DSQ; call_task_dequeue()
		:: else
		fi;
		dsq_locked = false;
		atomic { rq_locked = false; b_busy = false; tmp = 0 }
	/* reenq_local(): handed back */
	:: atomic { instance < INSTANCES && dsq == LOCAL_DSQ && !rq_locked -> rq_locked = true; b_busy = true };
		if
		:: dsq == LOCAL_DSQ ->
			dispatch_dequeue();
			set_flag(REENQ_REASON);
			do_enqueue_task()
		:: else
		fi;
		atomic { rq_locked = false; b_busy = false; tmp = 0 }
	/* process_ddsp_deferred_locals() */
	:: atomic { deferred && !rq_locked -> rq_locked = true; b_busy = true };
		if
		:: deferred -> deferred = false; ddsp = false; dsq = LOCAL_DSQ; linked = true
		:: else
		fi;
		atomic { rq_locked = false; b_busy = false }
	/* it runs, and is put */
	:: atomic { instance < INSTANCES && dsq == LOCAL_DSQ && !rq_locked -> rq_locked = true; b_busy = true };
		if
		:: dsq == LOCAL_DSQ -> dispatch_dequeue(); running = true
		:: else
		fi;
		atomic { rq_locked = false; b_busy = false }
	:: atomic { instance < INSTANCES && running && !rq_locked -> rq_locked = true; b_busy = true };
		running = false;
		do_enqueue_task();
		atomic { rq_locked = false; b_busy = false; tmp = 0 }
	od
}

init {
	d_step {
		c_code { char *s = getenv("LEFT_OUT"); if (s) now.left_out = atoi(s); };
		running = true
	}
	atomic {
		run cpu_a();
		run cpu_b();
		run monitor()
	}
}
