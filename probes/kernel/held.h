/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What iterators share: who stands for a process, the file that one holds, the way out through the iterator's own file.
 */
#pragma once
#include "use.h"

/* FMODE_BACKING, beside FMODE_NOACCOUNT: bit 25 since 6.5, bit 24 since 6.14: include/linux/fs.h. On a kernel where
 * one of the two means something else, nothing that is mapped has it together with FMODE_NOACCOUNT. */
#define FILE_MODE_BACKING 0x3000000

#define SHARED_MEMORY 0x6f72657a2f766564ULL /* `dev/zero`, as the kernel calls what several processes share without a file */

static long (*seq_write)(struct seq_file *seq, const void *data, u32 length) = (void *)BPF_FUNC_seq_write;

/* Whether a thread stands for its process: the leader, and when that has ended and the others have not, each of them.
 * What has no memory of its own is a kernel thread, or has ended. */
static __always_inline int stands_for_process(struct task_struct *task)
{
	struct task_struct *leader = READ(task, group_leader);
	if (READ(task, flags) & KERNEL_THREAD || !READ(task, mm))
		return 0;
	return task == leader || !READ(leader, mm);
}

/* Ourselves, and what we start to prove the probes. */
static __always_inline int is_ours(u32 pid, u64 start_ns)
{
	struct mark *mark = mark_of(pid, start_ns);
	return mark && (mark->state == MARK_OURS || mark->state == MARK_SELF_TEST);
}

/* What `fill_task` says, of a process that is not the one that is running. */
static __always_inline void fill_found(struct task_event *event, struct task_struct *task, u32 kind, u32 pid,
				       u64 start_ns)
{
	struct cred *cred = READ(task, real_cred);
	struct css_set *groups = READ(task, cgroups);
	struct cgroup *cgroup = READ(groups, dfl_cgrp);
	struct kernfs_node *node = READ(cgroup, kn);
	event->kind = kind;
	event->flags = 0;
	event->at = bpf_ktime_get_boot_ns();
	event->pid = pid;
	event->tid = READ(task, pid);
	event->start_ns = start_ns;
	event->cgroup = READ(node, id);
	event->uid = READ(cred, uid);
#ifdef HAS_task_struct_loginuid
	event->login_uid = READ(task, loginuid);
#else
	event->login_uid = -1;
#endif
	event->mount_ns = mount_namespace_of(task);
	event->pid_ns = pid_namespace_of(task);
}

/* Hands a record to who reads the iterator. Non-zero when it has no room: the kernel then takes back what was written
 * for this object, and asks again about it at the next read. */
static __always_inline long tell(struct seq_file *seq, void *record, u64 length)
{
	asm volatile("" : "+r"(length)); /* as in submit */
	if (length > RECORD_MAX - 1)
		length = RECORD_MAX - 1;
	return seq_write(seq, record, length);
}

/* The file that user space sees. What overlayfs and FUSE map is a file of the layer below: up to 6.6 it has the path of
 * the file in front, since 6.7 it carries that beside its own. */
static __always_inline void file_in_front(struct file *file, u32 mode, struct dentry **dentry, struct vfsmount **mount,
					  struct inode **inode)
{
	*dentry = READ(file, f_path_dentry);
	*mount = READ(file, f_path_mnt);
	*inode = READ(file, f_inode);
	if (!(mode & FILE_MODE_INTERNAL))
		return;
#ifdef HAS_backing_file_user_path_dentry
	if (mode & FILE_MODE_BACKING) {
		struct backing_file *backing = (struct backing_file *)file;
		*dentry = READ(backing, user_path_dentry);
		*mount = READ(backing, user_path_mnt);
	}
#endif
	*inode = READ(*dentry, d_inode);
}

/* Tells of one file that a process holds, if it may be a model. Non-zero when it has to be asked about again. */
static __always_inline long tell_held(struct seq_file *seq, struct task_struct *task, struct file *file, u32 kind)
{
	u32 zero = 0, flags = READ(file, f_flags);
	struct dentry *dentry;
	struct vfsmount *mount;
	struct inode *inode;

	if (flags & OPEN_PATH_ONLY)
		return 0;
	file_in_front(file, READ(file, f_mode), &dentry, &mount, &inode);
	if ((READ(inode, i_mode) & MODE_TYPE_MASK) != MODE_REGULAR)
		return 0;
	struct settings *chosen = settings.lookup(&zero);
	struct scratch *slot = scratch.lookup(&kind);
	if (!chosen || !slot)
		return 0;
	struct file_event *event = (struct file_event *)slot->bytes;
	u8 *tail = slot->bytes + sizeof(struct file_held);
	if (read_name(slot, tail, dentry) < 0 || *(u64 *)tail == SHARED_MEMORY)
		return 0; /* no name of a file has a slash */

	struct file_facts facts = {};
	read_file_facts(&facts, inode);
	volatile u64 *reasons = &slot->reasons; /* see report_use */
	*reasons = candidate(slot, tail, facts.size, chosen->large_bytes);
	struct file_key in_state = {facts.device, facts.inode, facts.size, facts.ctime_ns};
	u32 *verdict = known.lookup(&in_state);
	if (verdict && *verdict == KNOWN_NO_MODEL && !(*reasons & CANDIDATE_LIBRARY))
		return 0;
	if (verdict && *verdict == KNOWN_MODEL)
		*reasons |= CANDIDATE_KNOWN_MODEL;
	u32 pid = READ(task, tgid);
	u64 start_ns = start_of(task);
	if (!*reasons || is_ours(pid, start_ns))
		return 0;

	fill_found((struct task_event *)event, task, kind, pid, start_ns);
	event->device = facts.device;
	event->inode = facts.inode;
	event->size = facts.size;
	event->mtime_ns = facts.mtime_ns;
	event->ctime_ns = facts.ctime_ns;
	event->open_flags = flags;
	event->reasons = *reasons;
	event->created = 0;
	u32 cut = 0;
	u32 path_size = walk_path(slot, sizeof(struct file_held), dentry, mount, &cut);
	event->path_cut = cut;
	((struct file_held *)event)->path_size = path_size;
	event->length = sizeof(struct file_held) + path_size;
	return tell(seq, event, sizeof(struct file_held) + path_size);
}
