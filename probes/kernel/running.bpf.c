/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#include "held.h"

#ifdef HOOK_running_iterator
/* DEFINE_BPF_ITER_FUNC(task, struct bpf_iter_meta *meta, struct task_struct *task): kernel/bpf/task_iter.c, since 5.8.
 * Checked on 6.18. Runs in whoever reads, once for each thread of the machine, and a last time with none. */
BPF_ITER(task)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	u32 kind = KIND_PROCESS_RUNNING;
	if (!task || !stands_for_process(task))
		return 0;
	u32 pid = READ(task, tgid);
	u64 start_ns = start_of(task);
	struct scratch *slot = scratch.lookup(&kind);
	if (!slot || is_ours(pid, start_ns))
		return 0;

	struct process_running *event = (struct process_running *)slot->bytes;
	fill_found((struct task_event *)event, task, kind, pid, start_ns);
	struct task_struct *parent = READ(task, real_parent);
	event->parent_pid = READ(parent, tgid);
	event->parent_start_ns = start_of(parent);
	event->reserved = 0;
	struct mm_struct *mm = READ(task, mm);
	struct file *executable = READ(mm, exe_file);
	u32 cut = 0, path_size = 0;
	if (executable)
		path_size = walk_path(slot, sizeof(*event), READ(executable, f_path_dentry),
				      READ(executable, f_path_mnt), &cut);
	event->path_size = path_size;
	event->path_cut = cut;
	event->length = sizeof(*event) + path_size;
	tell(seq, event, sizeof(*event) + path_size);
	return 0;
}

/* DEFINE_BPF_ITER_FUNC(task_file, struct bpf_iter_meta *meta, struct task_struct *task, u32 fd, struct file *file):
 * as above, once for each descriptor of each thread; since 5.11 not of those that share their leader's. */
BPF_ITER(task_file)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	if (!task || !file)
		return 0;
	struct task_struct *leader = READ(task, group_leader);
	if (task != leader && READ(task, files) == READ(leader, files))
		return 0;
	tell_held(seq, task, file, KIND_FILE_HELD);
	return 0;
}
#endif
