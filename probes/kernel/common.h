/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What every probe shares: maps, marks, who acts, the record's way out.
 *
 * Every program takes the same five steps: skip ourselves, filter, reserve or count, fill, submit.
 * The kernel structs are rendered from the running kernel's BTF (btf.py) and hold only the fields that
 * some probe names in its `reads`, so no kernel header is needed. events.h has all that user space shares.
 */
#pragma once
#include "events.h"

/* The helpers by names of our own: bcc replaces its names for them by the old bpf_probe_read, which guesses the
 * address space, unless it finds them in /proc/kallsyms, which we do not let it read (compiler.py). */
static long (*read_kernel)(void *target, u32 size, const void *source) = (void *)BPF_FUNC_probe_read_kernel;
static long (*read_kernel_str)(void *target, u32 size, const void *source) = (void *)BPF_FUNC_probe_read_kernel_str;
static long (*read_user)(void *target, u32 size, const void *source) = (void *)BPF_FUNC_probe_read_user;

#define KERNEL_THREAD 0x00200000 /* PF_KTHREAD: include/linux/sched.h */

/* Reads one field of a kernel struct; a bad address gives zero, never a fault. */
#define READ(source, field)                                                                          \
	({                                                                                           \
		typeof((source)->field) _value = 0;                                                  \
		read_kernel(&_value, sizeof(_value), &(source)->field);                              \
		_value;                                                                              \
	})

/* ---- maps ---------------------------------------------------------------------------------------- */

BPF_RINGBUF_OUTPUT(ring, RING_PAGES);
/* Records that did not go out, by LOST_TO_* and kind; user space reads it and reports the difference. */
BPF_PERCPU_ARRAY(lost, u64, LOSS_REASONS * KINDS_END);
/* Rows that a table had no room for, by REFUSED_BY_*. */
BPF_PERCPU_ARRAY(refusals, u64, REFUSALS);

/* Set by user space, before anything is attached. */
BPF_ARRAY(settings, struct settings, 1);

/* Marks on processes, by thread group. A fork passes them on, the end of the process removes them. */
BPF_HASH(marks, u32, struct mark, MARKS_MAX);

/* One record is put together here before it goes out at its real length. One slot per kind: two programs
 * may interleave on a processor, the same program may not. */
struct scratch {
	u64 path_length;
	u64 path_components;
	u64 name_length;
	u64 suffix[2];
	u64 dot;
	u64 reasons;
	u64 weights;
	u64 call;
	u8 bytes[RECORD_MAX];
};
BPF_PERCPU_ARRAY(scratch, struct scratch, KINDS_END);

/* ---- the way out --------------------------------------------------------------------------------- */

/* Waking the reader costs the caller ten times the record. So bulk records wait for the reader's timer,
 * unless many bytes have gathered; urgent ones wake it, but not more than once a millisecond. */
#define WAKE_BYTES (256 * 1024)
#define WAKE_INTERVAL_NS 1000000ULL
struct pressure {
	u64 bytes;
	u64 woken_at_ns;
};
BPF_PERCPU_ARRAY(pressure, struct pressure, 1);

/* What a process has put into the ring since user space emptied it last: at most a quarter of it, so that who floods
 * it costs the others nothing. Processors may add at the same time and lose an addition: a valve need not be exact. */
#define SHARE_BYTES (RING_PAGES * 4096 / 4)
struct share {
	u64 drain; /* which one it was that came before */
	u64 bytes;
};
BPF_TABLE("lru_hash", u32, struct share, shares, 4096);
/* How often user space has emptied the ring. */
BPF_ARRAY(drains, u64, 1);

static __always_inline u64 wake_flag(u64 now_ns, u64 length, int urgent)
{
	u32 zero = 0;
	struct pressure *p = pressure.lookup(&zero);
	if (!p)
		return BPF_RB_FORCE_WAKEUP;
	p->bytes += length;
	if (p->bytes < WAKE_BYTES && !(urgent && now_ns - p->woken_at_ns >= WAKE_INTERVAL_NS))
		return BPF_RB_NO_WAKEUP;
	p->bytes = 0;
	p->woken_at_ns = now_ns;
	return BPF_RB_FORCE_WAKEUP;
}

static __always_inline int is_within_share(u32 pid, u64 length)
{
	u32 zero = 0;
	u64 *drain = drains.lookup(&zero);
	struct share *share = shares.lookup(&pid);
	if (!drain || !share) {
		struct share first = {.drain = drain ? *drain : 0, .bytes = length};
		shares.update(&pid, &first);
		return 1;
	}
	if (share->drain != *drain) {
		share->drain = *drain;
		share->bytes = 0;
	}
	if (share->bytes + length > SHARE_BYTES)
		return 0;
	share->bytes += length;
	return 1;
}

static __always_inline void count_lost(u32 kind, u32 reason)
{
	u32 index = reason * KINDS_END + kind;
	u64 *count = lost.lookup(&index);
	if (count)
		*count += 1;
}

/* ---- processes ----------------------------------------------------------------------------------- */

/* Who does something: a process, with what is known of it. */
struct actor {
	struct task_struct *task;
	u64 start_ns; /* known where there is a mark, else after `complete` */
	u64 mark;     /* MARK_*, 0 for none */
	u32 pid;
	u32 tid;
};

static __always_inline u64 start_of(struct task_struct *task)
{
	struct task_struct *leader = READ(task, group_leader);
	return READ(leader, start_boottime);
}

static __always_inline u32 mount_namespace_of(struct task_struct *task)
{
	struct nsproxy *proxy = READ(task, nsproxy);
	struct mnt_namespace *ns = READ(proxy, mnt_ns);
	return READ(ns, inum);
}

static __always_inline u32 pid_namespace_of(struct task_struct *task)
{
	/* The namespace that a process lives in is that of its innermost number; nsproxy holds the one
	 * that its children will get. */
	struct pid *pid = READ(task, thread_pid);
	u32 level = READ(pid, level);
	struct upid *innermost = (struct upid *)&pid->numbers + (level & 31);
	struct pid_namespace *ns = READ(innermost, ns);
	return READ(ns, inum);
}

/* User space may know a start only as /proc tells it, to the clock tick. */
static __always_inline int same_start(u64 one_ns, u64 other_ns)
{
	return one_ns / TICK_NS == other_ns / TICK_NS;
}

/* The mark of a process, whatever its state; an expired one is none. */
static __always_inline struct mark *mark_of(u32 pid, u64 start_ns)
{
	struct mark *mark = marks.lookup(&pid);
	if (!mark || !same_start(mark->start_ns, start_ns))
		return 0;
	if (mark->state == MARK_PROVISIONAL && mark->until_ns < bpf_ktime_get_boot_ns())
		return 0;
	return mark;
}

static __always_inline void set_mark(u32 pid, struct mark *mark)
{
	u32 index = REFUSED_BY_MARKS;
	u64 *count;
	if (marks.update(&pid, mark) != 0 && (count = refusals.lookup(&index)))
		*count += 1;
}

/* The process that is running, or on whose behalf the kernel is at work: before 5.12 io_uring opens files in kernel
 * threads that have borrowed the memory of a process. */
static __always_inline struct actor find_actor(struct task_struct *task)
{
	struct actor actor = {};
	u64 ids = bpf_get_current_pid_tgid();
	actor.pid = ids >> 32;
	actor.tid = (u32)ids;
#ifndef HAS_task_struct_io_worker
	if (READ(task, flags) & KERNEL_THREAD) {
		struct mm_struct *memory = READ(task, mm);
		struct task_struct *owner = memory ? READ(memory, owner) : 0;
		if (owner) {
			task = owner;
			actor.pid = actor.tid = READ(task, tgid);
		}
	}
#endif
	actor.task = task;
	struct mark *mark = marks.lookup(&actor.pid);
	if (mark) {
		actor.start_ns = start_of(task);
		mark = mark_of(actor.pid, actor.start_ns);
		actor.mark = mark ? mark->state : 0;
	}
	return actor;
}

/* Reads what most of those who pass the filter's first questions need not be asked for. */
static __always_inline void complete(struct actor *actor)
{
	actor->start_ns = start_of(actor->task);
}

/* Fills what every record says of the process. */
static __always_inline void fill_task(struct task_event *event, struct actor *actor)
{
	event->at = bpf_ktime_get_boot_ns();
	event->pid = actor->pid;
	event->tid = actor->tid;
	event->start_ns = actor->start_ns;
	event->cgroup = bpf_get_current_cgroup_id();
	event->uid = (u32)bpf_get_current_uid_gid();
#ifdef HAS_task_struct_loginuid
	event->login_uid = READ(actor->task, loginuid);
#else
	event->login_uid = -1;
#endif
	event->mount_ns = mount_namespace_of(actor->task);
	event->pid_ns = pid_namespace_of(actor->task);
}

/* Sends `length` bytes of a record; one that does not go out is counted. Returns 0 when it went out. */
static __always_inline int submit(struct actor *actor, struct task_event *event, u32 kind, u64 length, int urgent)
{
	/* From here the compiler takes the length for unknown. It would prove that no record is longer and drop the
	 * check, and the verifier cannot prove it (seen: LLVM 19 with 5.10 and 6.1). */
	asm volatile("" : "+r"(length));
	if (length > RECORD_MAX - 1)
		length = RECORD_MAX - 1;
	event->kind = kind;
	event->flags = actor->mark == MARK_SELF_TEST ? RECORD_SELF_TEST : 0;
	event->length = length;
	if (!is_within_share(actor->pid, length)) {
		count_lost(kind, LOST_TO_SHARE);
		return -1;
	}
	if (ring.ringbuf_output(event, length, wake_flag(event->at, length, urgent)) == 0)
		return 0;
	count_lost(kind, LOST_TO_RING);
	return -1;
}
