/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#include "held.h"

#ifdef HOOK_mapped_iterator
/* What was looked at last: a library is mapped in five pieces, one behind the other. A session is one run of the
 * iterator. Of two sessions at a time the one would at most have the other look twice. */
struct looked_at {
	u64 session;
	u64 memory;
	u64 file;
};
BPF_PERCPU_ARRAY(looked_at, struct looked_at, 1);

/* DEFINE_BPF_ITER_FUNC(task_vma, struct bpf_iter_meta *meta, struct task_struct *task, struct vm_area_struct *vma):
 * kernel/bpf/task_iter.c, since 5.12. Checked on 6.18. Runs in whoever reads, once for each mapping of each thread
 * that does not share its leader's descriptors, and a last time with none. */
BPF_ITER(task_vma)
{
	struct bpf_iter_meta *meta = ctx->meta;
	struct task_struct *task = ctx->task;
	struct vm_area_struct *vma = ctx->vma;
	u32 zero = 0;
	if (!task || !vma)
		return 0;
	struct file *file = READ(vma, vm_file);
	struct looked_at *last = looked_at.lookup(&zero);
	if (!file || !last)
		return 0;
	u64 memory = (u64)READ(task, mm), session = READ(meta, session_id);
	if (last->file == (u64)file && last->memory == memory && last->session == session)
		return 0;
	struct task_struct *leader = READ(task, group_leader);
	if (task != leader && (u64)READ(leader, mm) == memory)
		return 0;
	if (tell_held(meta->seq, task, file, KIND_MAPPING_HELD) != 0)
		return 0;
	last->file = (u64)file;
	last->memory = memory;
	last->session = session;
	return 0;
}
#endif
