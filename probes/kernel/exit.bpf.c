/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#include "common.h"

/*
 * TP_PROTO(struct task_struct *p), since 6.16 also (…, bool group_dead): include/trace/events/sched.h.
 * Checked on 5.10, 6.1, 6.12, 6.18 and 7.2. Runs for each thread; the process ends when no thread is left alive.
 * Two last threads may both see that before 6.16, so user space takes the second report for nothing.
 */
int exit_raw_tracepoint(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx->args[0];
	struct signal_struct *signal = READ(task, signal);
	if (READ(signal, live) != 0)
		return 0;
	struct actor actor = find_actor(task);
	complete(&actor);
	if (marks.lookup(&actor.pid))
		marks.delete(&actor.pid);
	if (actor.mark == MARK_OURS)
		return 0;

	struct process_exited event = {};
	fill_task((struct task_event *)&event, &actor);
	event.exit_code = READ(signal, group_exit_code);
	if (event.exit_code == 0)
		event.exit_code = READ(task, exit_code);
	submit(&actor, (struct task_event *)&event, KIND_PROCESS_EXITED, sizeof(event), 0);
	return 0;
}
