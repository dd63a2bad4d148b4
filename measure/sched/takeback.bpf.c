/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One scheduler written three ways, to see what SCX_ENQ_IMMED buys. A task goes to an idle CPU's local DSQ when there
 * is one, otherwise to a queue that all CPUs take from. The ways differ in what happens to a task on the local DSQ of a
 * CPU that a FIFO or DEADLINE task takes:
 *   none    it waits there
 *   hook    when the higher class' task is switched to, everything on that local DSQ is enqueued again
 *   immed   the kernel hands the task back, as it was inserted with SCX_ENQ_IMMED
 *
 * With @measure_waits, it is also measured for how long tasks are on a local DSQ while its CPU runs something else.
 * Each stay there is a sample, most of them zero: the task was inserted when the CPU was idle and gets on.
 *
 * As a sub-scheduler, it owns one cgroup's tasks; the root takes turns between its children. With @stuff it is a bad
 * neighbour: it puts a task on the local DSQ of the CPU it was on, whether that is busy or not. Under "immed" the
 * kernel hands such a task back, and it goes to the queue.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

enum { WAY_NONE, WAY_HOOK, WAY_IMMED };

const volatile u32 way;
const volatile bool stuff;
const volatile bool measure_waits;
const volatile u64 slice_ns;

#define SAMPLES 65536
#define CPUS 64
#define CHILDREN 4

/* Times from a pinned FIFO task's wake-up to ops.enqueue() of the task it displaced, or until the kernel puts that. */
u32 samples[SAMPLES];
u32 nr_samples;
u64 taken_at[CPUS];
u32 displaced[CPUS];
u64 children[CHILDREN];
u32 turn;
u64 nr_handed_back;

/* A task's stay on a local DSQ, by PID. It goes on while the DSQ does not give the task another number. */
struct stay {
	u64 at;		/* when it began, or was first seen */
	u64 waited;	/* the part of it for which the CPU ran something else */
	u32 seq;	/* that number, 0 when it was not looked at yet */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, struct stay);
} stays SEC(".maps");

#define WAITS (1 << 20)
#define MAX_SCAN 64
u32 waits[WAITS];
u32 nr_waits;
u64 busy_since[CPUS];	/* when the CPU switched to what it runs, 0 when it is idle */

UEI_DEFINE(uei);

#define HARDLY_NS (500 * 1000)

/* The queue's name: sub-schedulers have DSQs of their own. */
#define QUEUE 0

/* @p is about to be put on a local DSQ. */
static void stay_begins(const struct task_struct *p)
{
	struct stay new = { .at = bpf_ktime_get_ns() };
	u32 pid = p->pid;

	bpf_map_update_elem(&stays, &pid, &new, BPF_ANY);
}

/* The CPU has run something other than @p until @now, since @since; 0: nothing. */
static void stays_on(struct task_struct *p, u64 since, u64 now)
{
	u32 pid = p->pid;
	struct stay *stay;

	stay = bpf_map_lookup_elem(&stays, &pid);
	if (!stay || (stay->seq && stay->seq != p->scx.dsq_seq)) {
		stay_begins(p);
		stay = bpf_map_lookup_elem(&stays, &pid);
		if (!stay)
			return;
	}
	stay->seq = p->scx.dsq_seq;
	if (!since)
		return;
	if (since < stay->at)
		since = stay->at;
	if (since < now)
		stay->waited += now - since;
}

static void stay_ends(const struct task_struct *p)
{
	u32 pid = p->pid, at;
	struct stay *stay;

	stay = bpf_map_lookup_elem(&stays, &pid);
	if (!stay)
		return;
	at = __sync_fetch_and_add(&nr_waits, 1);
	if (at < WAITS)
		waits[at] = stay->waited;
	bpf_map_delete_elem(&stays, &pid);
}

/* @p was handed back, or it was the running task that was displaced and did not stay on a local DSQ. */
static void stay_is_cut(struct task_struct *p, s32 cpu)
{
	u32 pid = p->pid;

	if (cpu < 0 || cpu >= CPUS || !bpf_map_lookup_elem(&stays, &pid))
		return;
	stays_on(p, busy_since[cpu], bpf_ktime_get_ns());
	stay_ends(p);
}

static u64 flags(u64 enq_flags)
{
	return way == WAY_IMMED ? enq_flags | SCX_ENQ_IMMED : enq_flags;
}

static bool one_cpu(const struct task_struct *p)
{
	return p->nr_cpus_allowed == 1 || is_migration_disabled(p);
}

static s32 idle_cpu_for(struct task_struct *p)
{
	s32 cpu = scx_bpf_task_cpu(p);

	if (scx_bpf_test_and_clear_cpu_idle(cpu))
		return cpu;
	if (one_cpu(p))
		return -1;
	return scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
}

s32 BPF_STRUCT_OPS(takeback_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	s32 cpu;

	if (stuff && !one_cpu(p))
		return prev_cpu;
	cpu = idle_cpu_for(p);
	if (cpu >= 0) {
		if (measure_waits)
			stay_begins(p);
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, flags(0));
		return cpu;
	}
	return prev_cpu;
}

static void sample(s32 cpu, u32 pid)
{
	u64 now = bpf_ktime_get_ns(), since;
	u32 at;

	if (cpu < 0 || cpu >= CPUS)
		return;
	since = taken_at[cpu];
	taken_at[cpu] = 0;
	if (!since || pid != displaced[cpu])
		return;
	at = __sync_fetch_and_add(&nr_samples, 1);
	if (at < SAMPLES)
		samples[at] = now - since;
}

void BPF_STRUCT_OPS(takeback_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 cpu = scx_bpf_task_cpu(p);

	if (enq_flags & SCX_ENQ_REENQ) {
		sample(cpu, p->pid);
		if (measure_waits)
			stay_is_cut(p, cpu);
		__sync_fetch_and_add(&nr_handed_back, 1);
	} else if (stuff) {
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, flags(enq_flags));
		return;
	}
	cpu = idle_cpu_for(p);
	if (cpu >= 0) {
		if (measure_waits)
			stay_begins(p);
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL_ON | cpu, slice_ns, flags(enq_flags));
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
		return;
	}
	if (measure_waits)
		bpf_map_delete_elem(&stays, &(u32){p->pid});
	/*
	 * It was its turn already, and it had hardly any of it. Not so a bad neighbour's: it comes back from each insertion
	 * on a busy CPU, and two of them would take turns before all others.
	 */
	if (!stuff && (enq_flags & SCX_ENQ_REENQ) && p->scx.slice + HARDLY_NS >= slice_ns)
		enq_flags |= SCX_ENQ_HEAD;
	scx_bpf_dsq_insert(p, QUEUE, slice_ns, enq_flags);
}

void BPF_STRUCT_OPS(takeback_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 i, first = turn++;

	if (scx_bpf_dsq_move_to_local(QUEUE, flags(0)))
		return;
	bpf_for(i, 0, CHILDREN) {
		u64 child = children[(first + i) % CHILDREN];

		if (child && scx_bpf_sub_dispatch(child))
			return;
	}
}

/* Is @p in a class above that of SCX tasks? */
static bool is_above(const struct task_struct *p)
{
	return p->policy == 1 /* SCHED_FIFO */ || p->policy == 2 /* SCHED_RR */ || p->policy == 6 /* SCHED_DEADLINE */;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(takeback_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	if (is_above(next))
		scx_bpf_reenqueue_local();
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(takeback_stays, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	const u64 node = bpf_core_field_offset(struct task_struct, scx.dsq_list.node);
	struct rq *rq = bpf_this_cpu_ptr(&runqueues);
	struct list_head *head = &rq->scx.local_dsq.list, *pos = head->next;
	u64 now = bpf_ktime_get_ns(), since;
	u32 cpu = bpf_get_smp_processor_id(), i;

	if (cpu >= CPUS)
		return 0;
	since = busy_since[cpu];
	busy_since[cpu] = next->pid ? now : 0;
	bpf_for(i, 0, MAX_SCAN) {
		struct task_struct *p;

		if (!pos || pos == head)
			break;
		p = bpf_core_cast((void *)pos - node, struct task_struct);
		pos = bpf_core_cast(pos, struct list_head)->next;
		stays_on(p, since, now);
	}
	if (next->pid && !is_above(next)) {
		stays_on(next, since, now);
		stay_ends(next);
	}
	return 0;
}

SEC("tp_btf/sched_waking")
int BPF_PROG(takeback_waking, struct task_struct *p)
{
	s32 cpu;

	if (p->policy != 1 || p->nr_cpus_allowed != 1)
		return 0;
	cpu = scx_bpf_task_cpu(p);
	/* The kernel's own FIFO threads are pinned, too. */
	if (cpu < 0 || cpu >= CPUS || (p->flags & PF_KTHREAD) || cpu != bpf_get_smp_processor_id())
		return 0;
	displaced[cpu] = bpf_get_current_pid_tgid();
	taken_at[cpu] = bpf_ktime_get_ns();
	return 0;
}

SEC("fentry/put_prev_task_scx")
int BPF_PROG(takeback_put, struct rq *rq, struct task_struct *p, struct task_struct *next)
{
	sample(bpf_get_smp_processor_id(), p->pid);
	return 0;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(takeback_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

s32 BPF_STRUCT_OPS(takeback_sub_attach, struct scx_sub_attach_args *args)
{
	u32 i;

	bpf_for(i, 0, CHILDREN) {
		if (!children[i]) {
			children[i] = args->ops->sub_cgroup_id;
			return 0;
		}
	}
	return -ENOSPC;
}

void BPF_STRUCT_OPS(takeback_sub_detach, struct scx_sub_detach_args *args)
{
	u32 i;

	bpf_for(i, 0, CHILDREN) {
		if (children[i] == args->ops->sub_cgroup_id)
			children[i] = 0;
	}
}

void BPF_STRUCT_OPS(takeback_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SCX_OPS_DEFINE(takeback_ops,
	       .select_cpu	= (void *)takeback_select_cpu,
	       .enqueue		= (void *)takeback_enqueue,
	       .dispatch	= (void *)takeback_dispatch,
	       .init		= (void *)takeback_init,
	       .sub_attach	= (void *)takeback_sub_attach,
	       .sub_detach	= (void *)takeback_sub_detach,
	       .exit		= (void *)takeback_exit,
	       .name		= "takeback");
