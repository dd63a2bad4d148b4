"""How the code around the series differs in sched_ext/for-7.1 from the v7.1 base: all of it.

series/to-for-7.1 applies these rules to the base and to every step of the series alike, so that
what is left between two steps is the change to make in for-7.1.

A rule is (file, why, pattern, replacement): a Python regular expression (multi-line: ^ and $ are
those of a line, . does not match a newline) and what re.sub takes for it (text or function); the
file may be a pattern (ext*.c). A fifth element is the subject of the commit that takes away what
the rule matches; without it, a rule that matches less from some step on is an error. So is one that
matches neither the base nor a step. Rules that say "hand edit" change what the series adds; all
others only say what for-7.1 looks like, and the line hashes check them.

Below the rules, each of these may be given; an entry that fits nothing is an error:
  LEFT_OUT  (file, subject, why): the change that the commit (with "", every commit) makes to the
            file is left out
  ONLY_V71  (subject, why): the commit is left out
  MESSAGES  (subject, pattern, replacement): what the commit's message says otherwise, a regular
            expression and what re.sub takes for it
  OWN       (patch, topic, subject, why): series/for-7.1/own/PATCH, a mail as git format-patch
            writes it, made for for-7.1, comes after the commit (with "", as the topic's first)
"""

import re

EXT = "kernel/sched/ext.c"

# The kfunc masks that ops are called with, where a call fits into a line there, too.
MASKS = {
    "SCX_KF_ENQUEUE": "enqueue",
    "SCX_KF_UNLOCKED": "cpu_online cpu_offline",
    "SCX_KF_REST": "cpu_acquire dequeue disable enable quiescent runnable running stopping tick "
    "update_idle",
}
MASK_OF = {op: mask for mask, ops in MASKS.items() for op in ops.split()}


def dsq_reenq(found):
    """schedule_dsq_reenq(): each branch declares its own rq and ends in schedule_deferred().

    What the series adds before the end of the function as a condition to return comes into the
    branches (hand edit).
    """
    text = found[0].replace("u64 reenq_flags, struct rq *locked_rq)\n", "u64 reenq_flags)\n", 1)
    text = text.replace("\tstruct rq *rq;\n\n", "", 1)
    text = re.sub(r"^\t\trq = (.*;\n)\n", r"\t\tstruct rq *rq = \1", text, flags=re.M)
    end = re.search(
        r"\t\treturn;\n(\t\}\n)((?:.*\n)*?)\n\tif \(rq == locked_rq\)\n\t.*\n\telse\n\t.*\n\}\n\Z",
        text,
    )
    skip = re.fullmatch(r"\n((?:\t/\*.*\n)?)\tif \((.*) == rq\)\n\t\treturn;\n", end[2])
    call = "\n\t\tschedule_deferred(rq);\n"
    if skip:
        comment = skip[1] and "\t" + skip[1]
        call = f"\n{comment}\t\tif ({skip[2]} != rq)\n\t\t\tschedule_deferred(rq);\n"
    text = text[: end.start()] + end[1] + "}\n"
    return re.sub(r"(?<=\t\t\}\n)(?=\t\} else)", call, text)


def schedule_deferred(found):
    """The function with an irq_work for the calling CPU, if that is online (hand edit)."""
    offline, test, indent = "", "", "\t"
    if "A CPU which is offline can't run irq_works." in found[0]:
        offline = "\t *\n\t * A CPU which is offline can't run irq_works.\n"
        test, indent = "\tif (likely(cpu_online(smp_processor_id())))\n", "\t\t"
    return (
        "static void schedule_deferred(struct rq *rq)\n{\n"
        "\t/*\n"
        "\t * Queue an irq work. They are executed on IRQ re-enable which may take\n"
        "\t * a bit longer than the scheduler hook in schedule_deferred_locked().\n"
        f"{offline}"
        "\t */\n"
        f"{test}"
        f"{indent}irq_work_queue(&rq->scx.deferred_irq_work);\n"
        "}\n"
    )


RULES = [
    (
        EXT,
        "schedule_deferred() queues the irq_work on the calling CPU; hand edit: once the series "
        "minds CPUs which are offline, that is the one to look at",
        r"^static void schedule_deferred\(struct rq \*rq\)\n\{\n(?:.*\n)*?^\}\n",
        schedule_deferred,
    ),
    (
        EXT,
        "local_dsq_post_enq() has no sch",
        # The definition, as in the base and as the series has it.
        r"\blocal_dsq_post_enq\(struct scx_sched \*sch, struct scx_dispatch_q \*dsq,\n"
        r"(\t+ *)struct task_struct \*p, u64 enq_flags\)\n",
        r"local_dsq_post_enq(struct scx_dispatch_q *dsq, struct task_struct *p,\n"
        r"\1u64 enq_flags)\n",
    ),
    (EXT, "local_dsq_post_enq() has no sch", r"\blocal_dsq_post_enq\(sch, ", "local_dsq_post_enq("),
    (
        EXT,
        "local_dsq_post_enq() has no sch and takes the root's",
        r"^\tcall_task_dequeue\(sch, rq, p, 0\);\n"
        r"(?=\n(?:\t/\* not if there's (?:.+\n)*\n)?"
        r"(?:#ifdef CONFIG_SCHED_CORE\n(?:.*\n)*?#endif\n\n)?"
        r"\t/\*\n\t \* If @rq is in balance)",
        "\tcall_task_dequeue(scx_root, rq, p, 0);\n",
    ),
    (
        EXT,
        "move_local_task_to_local_dsq() has no sch",
        # The definition, as in the base and as the series has it: the arguments move up a line.
        r"\bmove_local_task_to_local_dsq\(struct scx_sched \*sch,(?:\n\t+ *| )"
        r"struct task_struct \*p,(\n\t+ *| )u64 enq_flags,(\n\t+ *| )",
        lambda m: "move_local_task_to_local_dsq(struct task_struct *p, u64 enq_flags,"
        + (m[1] if "\n" in m[1] else m[2]),
    ),
    (
        EXT,
        "move_local_task_to_local_dsq() has no sch",
        r"\bmove_local_task_to_local_dsq\(sch, ",
        "move_local_task_to_local_dsq(",
    ),
    (
        "kernel/sched/ext*.c",
        "ops are called with a kfunc mask",
        r"\b(SCX_CALL_OP(?:_TASK)?\(sch, )(" + "|".join(MASK_OF) + r"),",
        lambda m: f"{m[1]}{MASK_OF[m[2]]}, {m[2]},",
    ),
    (
        EXT,
        "ops are called with a kfunc mask",
        r"^\t\tSCX_CALL_OP_2TASKS_RET\(sch, yield, rq, p, NULL\);\n",
        "\t\tSCX_CALL_OP_2TASKS_RET(sch, SCX_KF_REST, yield, rq, p, NULL);\n",
    ),
    (
        EXT,
        "ops are called with a kfunc mask",
        r"^\t\treturn SCX_CALL_OP_2TASKS_RET\(sch, yield, rq, from, to\);\n",
        "\t\treturn SCX_CALL_OP_2TASKS_RET(sch, SCX_KF_REST, yield, rq,\n"
        "\t\t\t\t\t      from, to);\n",
    ),
    (
        EXT,
        "ops are called with a kfunc mask",
        r"^(\t+)SCX_CALL_OP\(sch, cpu_release, rq, cpu_of\(rq\), &args\);\n",
        r"\1SCX_CALL_OP(sch, SCX_KF_CPU_RELEASE, cpu_release, rq,\n\1\t    cpu_of(rq), &args);\n",
    ),
    (
        EXT,
        "hand edit: for-7.1 goes on telling nested dispatches apart, for the kfunc mask",
        r"^\t\tSCX_CALL_OP\(sch, dispatch, rq, cpu, prev_on_sch \? prev : NULL\);\n",
        "\t\t/*\n"
        "\t\t * If nested, don't update kf_mask and the locked rq as the\n"
        "\t\t * originating invocation would already have set them up. It\n"
        "\t\t * goes on needing the latter, which isn't restored.\n"
        "\t\t */\n"
        "\t\tif (nested)\n"
        "\t\t\tSCX_CALL_OP(sch, 0, dispatch, NULL, cpu,\n"
        "\t\t\t\t    prev_on_sch ? prev : NULL);\n"
        "\t\telse\n"
        "\t\t\tSCX_CALL_OP(sch, SCX_KF_DISPATCH, dispatch, rq, cpu,\n"
        "\t\t\t\t    prev_on_sch ? prev : NULL);\n",
    ),
    (
        EXT,
        "hand edit: for-7.1 goes on telling nested dispatches apart",
        r"^(scx_dispatch_sched\(struct scx_sched \*sch, struct rq \*rq,\n"
        r"\t+ *struct task_struct \*prev)\)\n",
        r"\1, bool nested)\n",
    ),
    (
        EXT,
        "hand edit: for-7.1 goes on telling nested dispatches apart",
        r"\bscx_dispatch_sched\(sch, rq, prev\)",
        "scx_dispatch_sched(sch, rq, prev, false)",
    ),
    (
        EXT,
        "hand edit: for-7.1 goes on telling nested dispatches apart",
        r"^(\treturn scx_dispatch_sched\(child, dspc->rq, dspc->prev)\);",
        r"\1, true);",
    ),
    (
        EXT,
        "nested dispatches leave the kfunc mask alone",
        r"^\t\t\tSCX_CALL_OP\(sch, dispatch, rq, cpu, prev_on_sch \? prev : NULL\);\n"
        r"(?=\t\t\} else)",
        "\t\t\t/*\n"
        "\t\t\t * If nested, don't update kf_mask as the originating\n"
        "\t\t\t * invocation would already have set it up.\n"
        "\t\t\t */\n"
        "\t\t\tSCX_CALL_OP(sch, 0, dispatch, rq, cpu,\n"
        "\t\t\t\t    prev_on_sch ? prev : NULL);\n",
        "sched_ext: Dispatch to the CPU that ops.dispatch() was called for",
    ),
    (
        EXT,
        "ops are called with a kfunc mask",
        r"^\t\t\tSCX_CALL_OP\(sch, dispatch, rq, cpu, prev_on_sch \? prev : NULL\);\n",
        "\t\t\tSCX_CALL_OP(sch, SCX_KF_DISPATCH, dispatch, rq, cpu,\n"
        "\t\t\t\t    prev_on_sch ? prev : NULL);\n",
        "sched_ext: Dispatch to the CPU that ops.dispatch() was called for",
    ),
    (
        EXT,
        "another comment",
        r"^\t\t\t/\* stash @prev so that nested invocations can access it \*/\n",
        "\t\t\t/*\n"
        "\t\t\t * If not nested, stash @prev so that nested invocations\n"
        "\t\t\t * can access it.\n"
        "\t\t\t */\n",
        "sched_ext: Dispatch to the CPU that ops.dispatch() was called for",
    ),
    (
        EXT,
        "there is no in_select_cpu; ops are called with a kfunc mask",
        r"^\t\tthis_rq\(\)->scx.in_select_cpu = true;\n"
        r"\t\tcpu = SCX_CALL_OP_TASK_RET\(sch, select_cpu, NULL, p, prev_cpu, wake_flags\);\n"
        r"\t\tthis_rq\(\)->scx.in_select_cpu = false;\n",
        "\t\tcpu = SCX_CALL_OP_TASK_RET(sch,\n"
        "\t\t\t\t\t   SCX_KF_ENQUEUE | SCX_KF_SELECT_CPU,\n"
        "\t\t\t\t\t   select_cpu, NULL, p, prev_cpu,\n"
        "\t\t\t\t\t   wake_flags);\n",
    ),
    (
        EXT,
        "ops are called with a kfunc mask",
        r"^\t\tret = SCX_CALL_OP_RET\(sch, init_task, NULL, p, &args\);\n",
        "\t\tret = SCX_CALL_OP_RET(sch, SCX_KF_UNLOCKED, init_task, NULL,\n"
        "\t\t\t\t      p, &args);\n",
    ),
    (
        EXT,
        "ops are called with a kfunc mask",
        r"^\t\tSCX_CALL_OP_TASK\(sch, set_weight, rq, p, p->scx.weight\);\n",
        "\t\tSCX_CALL_OP_TASK(sch, SCX_KF_REST, set_weight, rq,\n\t\t\t\t p, p->scx.weight);\n",
    ),
    (
        EXT,
        "one line",
        r"^\tif \(preempt \|\| sched_class_above\(&ext_sched_class,\n"
        r"\t+ +rq->curr->sched_class\)\)\n",
        "\tif (preempt || sched_class_above(&ext_sched_class, rq->curr->sched_class))\n",
    ),
    (
        EXT,
        "there is no clear_direct_dispatch(): dispatch_enqueue() clears the fields itself",
        r"^\tddsp_enq_flags = p->scx.ddsp_enq_flags;\n\tclear_direct_dispatch\(p\);\n\n"
        r"\tdispatch_enqueue\(sch, rq, dsq, p, ddsp_enq_flags \| SCX_ENQ_CLEAR_OPSS\);\n",
        "\tdispatch_enqueue(sch, rq, dsq, p,\n"
        "\t\t\t p->scx.ddsp_enq_flags | SCX_ENQ_CLEAR_OPSS);\n",
    ),
    (
        EXT,
        "hand edit: there is no clear_direct_dispatch(), but the fields want clearing",
        r"^(\t+)(/\*.* direct dispatch(?:, deferred, is carried out| may be deferred still) \*/"
        r"\n)"
        r"\t+clear_direct_dispatch\(p\);\n",
        r"\1\2\1p->scx.ddsp_dsq_id = SCX_DSQ_INVALID;\n\1p->scx.ddsp_enq_flags = 0;\n",
    ),
    (EXT, "there is no clear_direct_dispatch()", r"^\t+clear_direct_dispatch\(p\);\n", ""),
    (
        EXT,
        "there is no clear_direct_dispatch()",
        r"^/\*\n \* Clear @p direct dispatch state when leaving the scheduler.\n(?:.*\n)*?^\}\n\n",
        "",
    ),
    (
        EXT,
        "there is no kick_sync balance callback",
        r"^static void kick_sync_wait_bal_cb\((?:.*\n)*?^\}\n\n",
        "",
    ),
    (
        EXT,
        "there is no kick_sync balance callback",
        # With the empty line in front, as what follows may be the function's end.
        r"^\n\t/\*\n\t \* Defer to a balance callback which can drop rq lock and enable\n"
        r"(?:\t .*\n)*\tif \(.*\n(?:\t\t.*\n)*\t\}\n",
        "",
    ),
    (
        EXT,
        "struct scx_rq has no kick_sync_pending",
        r"\(rq->scx\.flags & SCX_RQ_BAL_CB_PENDING\) \|\|(\n\t+ +)rq->scx\.kick_sync_pending"
        r"( \|\| )?",
        lambda m: "(rq->scx.flags & SCX_RQ_BAL_CB_PENDING) ||" + m[1]
        if m[2]
        else "rq->scx.flags & SCX_RQ_BAL_CB_PENDING",
    ),
    (
        EXT,
        "comments name kick_cpus_irq_workfn()",
        r"kick_sync_wait_bal_cb\(\)",
        "kick_cpus_irq_workfn()",
    ),
    (
        EXT,
        "scx_dsq_insert_preamble() checks its context",
        r"^((?:static bool |static .*\n)?scx_dsq_insert_preamble\([^)]*\)\n\{\n)",
        r"\1"
        "\tif (!scx_kf_allowed(sch, SCX_KF_ENQUEUE | SCX_KF_DISPATCH))\n"
        "\t\treturn false;\n"
        "\n",
    ),
    (
        EXT,
        "scx_dsq_move() has its sch from the start and checks its context; the iterator is never "
        "empty",
        r"^\tstruct scx_sched \*sch;\n(\tstruct rq \*this_rq, \*src_rq, \*locked_rq;\n(?:.*\n){4})"
        r"\t/\*\n\t \* The verifier considers an iterator slot(?:.*\n)*?\tsch = src_dsq->sched;\n",
        "\tstruct scx_sched *sch = src_dsq->sched;\n"
        r"\1"
        "\tif (!scx_kf_allowed_if_unlocked() &&\n"
        "\t    !scx_kf_allowed(sch, SCX_KF_DISPATCH))\n"
        "\t\treturn false;\n",
    ),
    (
        EXT,
        "scx_bpf_dsq_move_to_local() checks its context",
        r"^(__bpf_kfunc bool scx_bpf_dsq_move_to_local(?:___v2)?\([^)]*\)\n"
        r"(?:(?!\}).*\n)*?)(\tdspc = )",
        r"\1" "\tif (!scx_kf_allowed(sch, SCX_KF_DISPATCH))\n" "\t\treturn false;\n" "\n" r"\2",
    ),
    (
        EXT,
        "the kfunc lists have no comment on scx_bpf_dsq_move*()",
        r"^/\* scx_bpf_dsq_move\*\(\) also in scx_kfunc_ids_unlocked: .*\n",
        "",
    ),
    (
        EXT,
        "SCX_EV_SUB_BYPASS_DISPATCH is not added up",
        r"^\t\tscx_agg_event\(events, e_cpu, SCX_EV_SUB_BYPASS_DISPATCH\);\n",
        "",
    ),
    (
        "include/linux/sched/ext.h",
        "task state has two bits",
        r"Bits 8 to 10 are used",
        "Bits 8 and 9 are used",
    ),
    (
        "kernel/sched/sched.h",
        "struct scx_rq has no such member",
        r"^\tbool\t\t\tin_select_cpu;\n",
        "",
    ),
    (
        "kernel/sched/sched.h",
        "struct scx_rq has no such members",
        r"^\t(?:cpumask_var_t|bool|struct balance_callback)\t+"
        r"(?:cpus_to_sync|kick_sync_pending|kick_sync_bal_cb);\n",
        "",
    ),
    (
        "tools/testing/selftests/sched_ext/Makefile",
        "these tests are not there",
        r"^\t(?:cyclic_kick_wait|non_scx_kfunc_deny)\t+\\\n",
        "",
    ),
    (
        EXT,
        "schedule_dsq_reenq() has no locked_rq and always goes through an irq_work",
        r"^static void schedule_dsq_reenq\((?:.*\n)*?^\}\n",
        dsq_reenq,
    ),
    (
        EXT,
        "schedule_dsq_reenq() has no locked_rq",
        r"\bschedule_dsq_reenq\(sch, dsq, reenq_flags, scx_locked_rq\(\)\);",
        "schedule_dsq_reenq(sch, dsq, reenq_flags);",
    ),
    (
        EXT,
        "ops are called with a kfunc mask, and this one without a locked rq",
        r"\bSCX_CALL_OP_2TASKS_RET\(sch_a, core_sched_before,\n(\t+ +)task_rq\(\w\),\n",
        r"SCX_CALL_OP_2TASKS_RET(sch_a, SCX_KF_REST, core_sched_before,\n\1NULL,\n",
    ),
    (
        "Documentation/scheduler/sched-ext.rst",
        "there is no section on the events file; the counters that the series adds are described "
        "in ext_internal.h alone",
        r"^Each running scheduler also exposes a per-scheduler ``events`` file under\n"
        r"(?:.*\n)*?(?=^``tools/sched_ext/scx_show_state.py``)",
        "",
    ),
    (
        "tools/testing/selftests/sched_ext/runner.c",
        "neither what is left on the command line nor a filter that matches nothing is an error",
        r"^\tif \(optind < argc\) \{\n(?:.*\n)*?^\t\}\n\n\tif \(filter\) \{\n(?:.*\n)*?^\t\}\n\n",
        "",
    ),
    (
        "tools/testing/selftests/sched_ext/runner.c",
        "it always exits 0",
        r"^\treturn failed > 0 \? 1 : 0;",
        "\treturn 0;",
    ),
]

LEFT_OUT = []
ONLY_V71 = []
MESSAGES = [
    (
        "sched_ext: Queue balance callbacks only if the pick is final",
        r"queues balance callbacks - for the actions deferred\nduring ops\.dispatch\(\) and for "
        r"SCX_KICK_WAIT - as soon as balance_one\(\)\nreturns\. They run after the switch\.",
        "queues a balance callback for the actions deferred\nduring ops.dispatch() as soon as "
        "balance_one() returns. It runs after the\nswitch.",
    ),
    (
        "sched_ext: Queue balance callbacks only if the pick is final",
        r"drops the rq lock with the callbacks from the first pick still queued\.",
        "drops the rq lock with the callback from the first pick still queued.",
    ),
    (
        "sched_ext: Queue balance callbacks only if the pick is final",
        r"running the callbacks\. kick_sync_wait_bal_cb\(\)\n(?:.+\n)+",
        "running the callbacks.\n",
    ),
    (
        "sched_ext: Queue balance callbacks only if the pick is final",
        r"from an irq_work and\nleave the wait to the next pick\.",
        "from an irq_work.",
    ),
    (
        "sched_ext: Don't lose deferred actions of CPUs which are going down",
        r"^- When a reenqueue of an offline CPU's(?:.*\n)*\Z",
        "- A CPU which is offline already may still defer actions, e.g. when a BPF\n"
        "  program calls scx_bpf_reenqueue_local() at its last switch. The irq_work\n"
        "  doesn't run before the CPU is back and keeps those queued later from\n"
        "  running.\n"
        "\n"
        "Treat a pick on an rq in balance_push() mode like one which isn't final\n"
        "and use an irq_work, but not if the CPU is offline.\n",
    ),
    (
        "sched_ext: Leave a sibling's balance callbacks alone in core-wide picks",
        r"who meets a warning\n  in rq_pin_lock\(\) and, if it's (?:.*\n)*?\n",
        "who meets a warning\n  in rq_pin_lock().\n\n",
    ),
    (
        "sched_ext: Leave a sibling's balance callbacks alone in core-wide picks",
        r"takes the irq_work, and a pending\nkick-sync waits for the sibling's own pick\.",
        "takes the irq_work.",
    ),
]
OWN = [
    (
        "clear-verdict.patch",
        "1-fixes",
        "",
        "v7.1 has clear_direct_dispatch(); without this, a verdict goes stale",
    ),
]
