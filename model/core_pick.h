/* SPDX-License-Identifier: GPL-2.0 */
/* Core scheduling: pick_next_task() of kernel/sched/core.c. Included by this_cpu() of immed.pml. */
pick_again:
	atomic {
		/* the pick that the sibling made is still good */
		if
		:: stored_pick(me) != NO_PICK ->
			rq[me].unsched = false;
			next = rq[me].core_pick;
			rq[me].core_pick = NO_PICK;
			goto picked
		:: else
		fi;
		round = 0
	}
	/* scx_core_balance(): this CPU, the sibling, and this CPU again */
core_balance_one:
	atomic {
		i = (round == 1 -> 1 - me : me);
		if
		:: round == 1 && !core_cookie && !forceidle -> round = 0; found = false; goto core_balanced
		:: else
		fi;
		if
		:: hi_runnable(i) -> goto core_balance_checked
		:: else
		fi;
		balance_one_begin(i, rq[i].curr);
		if
		:: rq[i].bal_keep || rq[i].nr -> goto dispatched
		:: else -> goto dispatch
		fi
	}
dispatch:
	atomic {
		scx_dispatch_sched(i, rq[i].curr)
	}
dispatched:
	atomic {
		balance_one_end(i, rq[i].curr);
		if
		:: round == 0 -> found = rq[i].bal_keep || rq[i].nr
		:: else
		fi;
		rq[i].bal_keep = false
	}
core_balance_checked:
	atomic {
		if
		:: rq[i].nr_immed && !without(CORE_BALANCE_CHECK) -> rq[i].bal_cb_pending = true
		:: else
		fi;
		maybe_queue_balance_callback(i, false);
		if
		:: without(DISPATCH_BEFORE) && round == 0 ->
			/* dispatch while picking: this CPU's task is picked before the sibling's ops.dispatch() */
			core_pick_task(me);
			rq[me].core_pick = next;
			rq[me].deferred_irq_work = rq[me].deferred_irq_work || rq[me].deferred_bal_cb;
			rq[me].deferred_bal_cb = false;	/* that's OWN_CALLBACKS */
			round = 1;
			goto core_balance_one
		:: without(DISPATCH_BEFORE) && round == 1 -> goto core_balanced
		:: else
		fi;
		if
		:: round == 0 -> round = 1; goto core_balance_one
		:: round == 1 && found -> round = 2; goto core_balance_one
		:: else -> goto core_balanced
		fi
	}
	/* from here on, the core's lock isn't dropped */
core_balanced:
	atomic {
		i = 0; found = false;
		if
		:: core_cookie || forceidle || without(DISPATCH_BEFORE)
		:: else ->
			round = 0;
			seq_valid = false;
			core_pick_task(me);
			if
			:: next >= NR_TASKS -> rq[me].core_pick = NO_PICK; goto picked
			:: else
			fi
		fi;
		core_cookie = 0;
		forceidle = false;
		seq_valid = false;
		if
		:: without(DISPATCH_BEFORE) && round == 1
		:: else ->
			core_pick_task(me);
			rq[me].core_pick = next
		fi;
		round = 0;
		/* what was picked is still there */
		assert(rq[me].core_pick != NO_PICK);
		core_pick_task(1 - me);
		rq[1 - me].core_pick = next;
		next = 0;
		/* prio_less() */
		if
		:: rq[me].core_pick == HI || rq[1 - me].core_pick == HI -> core_cookie = NO_COOKIE
		:: runs_first(rq[me].core_pick, rq[1 - me].core_pick) -> core_cookie = cookie_of(rq[me].core_pick)
		:: runs_first(rq[1 - me].core_pick, rq[me].core_pick) -> core_cookie = cookie_of(rq[1 - me].core_pick)
		:: rq[me].core_pick == IDLE && rq[1 - me].core_pick == IDLE -> core_cookie = NO_COOKIE
		fi;
		/* sched_core_find(): there's no third task which matches */
		core_match(me);
		core_match(1 - me);
		seq_valid = true;
		rq[me].unsched = false;
		rq[1 - me].unsched = true;
		next = rq[me].core_pick;
		rq[me].core_pick = NO_PICK;
		if
		:: rq[1 - me].curr == rq[1 - me].core_pick -> rq[1 - me].core_pick = NO_PICK
		:: else -> resched_curr(1 - me)
		fi;
		goto picked
	}
