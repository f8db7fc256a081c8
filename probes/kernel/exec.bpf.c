/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#include "path.h"

/*
 * TP_PROTO(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm): include/trace/events/sched.h.
 * Checked on 5.10, 6.1, 6.12, 6.18 and 7.2. Runs in the process, once its new memory stands: the arguments are
 * those that the program starts with, before it can rewrite them.
 */
int exec_raw_tracepoint(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx->args[0];
	struct actor actor = find_actor(task);
	complete(&actor);
	if (actor.mark == MARK_OURS)
		return 0;
	if (actor.mark == MARK_PROVISIONAL)
		marks.delete(&actor.pid); /* it ends here */

	u32 kind = KIND_PROCESS_EXECUTED;
	struct scratch *slot = scratch.lookup(&kind);
	if (!slot) {
		count_lost(kind, LOST_TO_RING);
		return 0;
	}
	struct process_executed *event = (struct process_executed *)slot->bytes;
	fill_task((struct task_event *)event, &actor);
	struct task_struct *parent = READ(task, real_parent);
	event->parent_pid = READ(parent, tgid);
	event->parent_start_ns = start_of(parent);

	struct mm_struct *mm = READ(task, mm);
	struct file *executable = READ(mm, exe_file);
	struct file_facts facts = {};
	read_file_facts(&facts, READ(executable, f_inode));
	event->device = facts.device;
	event->inode = facts.inode;
	event->ctime_ns = facts.ctime_ns;

	u8 *tail = slot->bytes + sizeof(*event);
	u32 cut = 0;
	u32 path_size = walk_path(slot, sizeof(*event), READ(executable, f_path_dentry),
				  READ(executable, f_path_mnt), &cut);
	event->path_size = path_size;
	event->path_cut = cut;

	u64 from = READ(mm, arg_start), until = READ(mm, arg_end);
	u64 size = until - from;
	event->arguments_cut = size > PROCESS_EXECUTED_ARGUMENTS_MAX;
	if (event->arguments_cut)
		size = PROCESS_EXECUTED_ARGUMENTS_MAX;
	if (size > PROCESS_EXECUTED_ARGUMENTS_MAX || read_user(tail + path_size, size, (void *)from) != 0) {
		size = 0;
		event->arguments_cut = 1;
	}
	event->arguments_size = size;
	submit(&actor, (struct task_event *)event, kind, sizeof(*event) + path_size + size,
	       actor.mark == MARK_CONFIRMED);
	return 0;
}
