/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For types of a kernel that is older than the headers: what scx/compat.bpf.h can't
 * be compiled without. scx_immed_watch doesn't use it.
 */
#define BPF_NO_KFUNC_PROTOTYPES
#include "vmlinux.h"

struct scx_bpf_select_cpu_and_args {
	s32 prev_cpu;
	u64 wake_flags;
	u64 flags;
};

struct scx_bpf_dsq_insert_vtime_args {
	u64 dsq_id;
	u64 slice;
	u64 vtime;
	u64 enq_flags;
};
