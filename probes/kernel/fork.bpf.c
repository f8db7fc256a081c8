/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#include "common.h"

/*
 * TP_PROTO(struct task_struct *parent, struct task_struct *child): include/trace/events/sched.h.
 * Checked on 5.10, 6.1, 6.12, 6.18 and 7.2. Runs in the parent, before the child's first instruction, so a mark
 * is passed on in time.
 */
int fork_raw_tracepoint(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx->args[0];
	struct task_struct *child = (struct task_struct *)ctx->args[1];
	u32 child_pid = READ(child, tgid);
	if (READ(child, pid) != child_pid)
		return 0; /* a thread */
	struct actor actor = find_actor(task);
	complete(&actor);
	u64 child_start_ns = READ(child, start_boottime);
	struct mark *mark = mark_of(actor.pid, actor.start_ns);
	if (mark) {
		struct mark passed_on = *mark;
		passed_on.start_ns = child_start_ns;
		set_mark(child_pid, &passed_on);
	}
	if (actor.mark == MARK_OURS)
		return 0;

	struct process_forked event = {};
	fill_task((struct task_event *)&event, &actor);
	event.child_pid = child_pid;
	event.child_start_ns = child_start_ns;
	submit(&actor, (struct task_event *)&event, KIND_PROCESS_FORKED, sizeof(event), 0);
	return 0;
}
