/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#include "calls.h"

#ifdef HOOK_file_change_fentry
/* A change passes two functions: security_path_*, which knows the mount and comes before the permissions are checked,
 * and security_inode_*, which comes after them, and also when a file system such as overlayfs changes what lies
 * below it. So the first notes what it is asked about, and the second reports when it is asked about the same. */
struct asked {
	struct dentry *dentry, *other;
	struct vfsmount *mount;
};
BPF_TABLE("lru_hash", u32, struct asked, change_asked, 8192);

static __always_inline int note(struct path *folder, struct dentry *dentry, struct dentry *other)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct asked asked = {dentry, other, READ(folder, mnt)};
	change_asked.update(&tid, &asked);
	return 0;
}

/* The mount of a change that was asked about, once; 0 for the work of a file system below. */
static __always_inline struct vfsmount *take(struct dentry *dentry, struct dentry *other)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct asked *asked = change_asked.lookup(&tid);
	if (!asked || asked->dentry != dentry || asked->other != other)
		return 0;
	struct vfsmount *mount = asked->mount;
	change_asked.delete(&tid);
	return mount;
}

static __always_inline int is_directory(struct inode *inode)
{
	return (READ(inode, i_mode) & MODE_TYPE_MASK) == MODE_DIRECTORY;
}

/* The first steps: ourselves, filter. `path` and `source` are the dentries of the names, `text` stands for the source of
 * a symbolic link, `inode` is what changes, `other` what it replaces; `index` is the program's own. */
static __always_inline int report_dentries(u32 index, u32 change, struct vfsmount *mount, struct dentry *path,
					   struct dentry *source, u8 *text, struct inode *inode, struct inode *other)
{
	struct actor actor = find_actor((struct task_struct *)bpf_get_current_task());
	if (actor.mark == MARK_OURS || (inode && is_directory(inode) && (!other || is_directory(other))))
		return 0;
	struct change_slot *slot = change_slots.lookup(&index);
	if (!slot) {
		count_lost(KIND_FILE_CHANGED, LOST_TO_RING);
		return 0;
	}
	struct file_changed *event = (struct file_changed *)slot->shared.bytes;
	u8 *name = slot->shared.bytes + sizeof(*event);
	volatile u64 *reasons = &slot->shared.reasons;
	slot->names[PATH_NAME] = (struct changed_name){.dentry = path, .mount = mount, .inode = other};
	slot->names[SOURCE_NAME] = (struct changed_name){.dentry = source, .mount = mount, .text = text, .inode = inode};
	*reasons = actor.mark ? CANDIDATE_WATCHED : 0;
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < NAMES; i++) {
		struct dentry *dentry = *(struct dentry *volatile *)&slot->names[i & 1].dentry;
		struct inode *file = *(struct inode *volatile *)&slot->names[i & 1].inode;
		if (dentry && read_name(&slot->shared, name, dentry) > 0)
			*reasons |= name_reasons(slot, name);
		/* The file that changes comes last, so that what is said of it stands. */
		event->other_device = event->device;
		event->other_inode = event->inode;
		struct file_facts facts = {};
		if (file) {
			read_file_facts(&facts, file);
			*reasons |= file_reasons(&facts);
		}
		event->device = facts.device;
		event->inode = facts.inode;
		event->size = facts.size;
		event->mtime_ns = facts.mtime_ns;
		event->ctime_ns = facts.ctime_ns;
	}
	if (!*reasons)
		return 0;
	event->action = change;
	send_change(&actor, slot, *reasons);
	return 0;
}

/* All of these: security/security.c. Checked on 5.10, 6.1, 6.12 and 7.2. Their paths are
 * const, which READ could not read into. */
KFUNC_PROBE(security_path_rename, struct path *old_dir, struct dentry *old, struct path *new_dir, struct dentry *new)
{
	return note(new_dir, old, new);
}

KFUNC_PROBE(security_path_link, struct dentry *old, struct path *new_dir, struct dentry *new)
{
	return note(new_dir, old, new);
}

KFUNC_PROBE(security_path_symlink, struct path *dir, struct dentry *dentry)
{
	return note(dir, dentry, 0);
}

KFUNC_PROBE(security_path_unlink, struct path *dir, struct dentry *dentry)
{
	return note(dir, dentry, 0);
}

KFUNC_PROBE(security_inode_rename, struct inode *old_dir, struct dentry *old, struct inode *new_dir,
	    struct dentry *new, unsigned int flags)
{
	struct vfsmount *mount = take(old, new);
	if (!mount)
		return 0;
	u32 change = flags & RENAME_EXCHANGE ? CHANGE_EXCHANGE : CHANGE_RENAME;
	return report_dentries(0, change, mount, new, old, 0, READ(old, d_inode), READ(new, d_inode));
}

KFUNC_PROBE(security_inode_link, struct dentry *old, struct inode *dir, struct dentry *new)
{
	struct vfsmount *mount = take(old, new);
	if (!mount)
		return 0;
	return report_dentries(1, CHANGE_LINK, mount, new, old, 0, READ(old, d_inode), 0);
}

KFUNC_PROBE(security_inode_symlink, struct inode *dir, struct dentry *dentry, const char *old_name)
{
	struct vfsmount *mount = take(dentry, 0);
	if (!mount)
		return 0;
	return report_dentries(2, CHANGE_SYMLINK, mount, dentry, 0, (u8 *)old_name, 0, 0);
}

KFUNC_PROBE(security_inode_unlink, struct inode *dir, struct dentry *dentry)
{
	struct vfsmount *mount = take(dentry, 0);
	if (!mount)
		return 0;
	return report_dentries(3, CHANGE_UNLINK, mount, dentry, 0, 0, READ(dentry, d_inode), 0);
}

/* After the permissions were checked. */
KFUNC_PROBE(security_path_truncate, struct path *path)
{
	struct dentry *dentry = READ(path, dentry);
	return report_dentries(4, CHANGE_TRUNCATE, READ(path, mnt), dentry, 0, 0, READ(dentry, d_inode), 0);
}

/* Since 6.2: ftruncate and O_TRUNC, which came by the path before. */
KFUNC_PROBE(security_file_truncate, struct file *file)
{
	struct dentry *dentry = READ(file, f_path_dentry);
	return report_dentries(5, CHANGE_TRUNCATE, READ(file, f_path_mnt), dentry, 0, 0, READ(dentry, d_inode), 0);
}
#endif
