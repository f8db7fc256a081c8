/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Changes as the system calls tell them: texts, which begin in a directory, where fentry has the files themselves.
 */
#pragma once
#include "change.h"

/* The calls that matter, whatever their numbers; those up to CALL_MMAP use a file, the others change one. */
#define CALL_NONE 0
#define CALL_OPEN 1
#define CALL_MMAP 2
#define CALL_RENAME 3
#define CALL_RENAMEAT 4
#define CALL_RENAMEAT2 5
#define CALL_LINK 6
#define CALL_LINKAT 7
#define CALL_SYMLINK 8
#define CALL_SYMLINKAT 9
#define CALL_UNLINK 10
#define CALL_UNLINKAT 11
#define CALL_TRUNCATE 12
#define CALL_FTRUNCATE 13
#define ARGUMENTS 5

/* The file behind a descriptor of the running process. Another thread can close or replace the descriptor
 * between the call and this read: then the other file is reported, or none. */
static __always_inline struct file *file_of(struct task_struct *task, long descriptor)
{
	struct files_struct *files = READ(task, files);
	struct fdtable *table = READ(files, fdt);
	if (descriptor < 0 || descriptor >= READ(table, max_fds))
		return 0;
	struct file **descriptors = (struct file **)READ(table, fd);
	struct file *file = 0;
	read_kernel(&file, sizeof(file), descriptors + descriptor);
	return file;
}

#ifdef HOOK_file_change_raw_tracepoint
static long (*read_user_str)(void *target, u32 size, const void *source) = (void *)BPF_FUNC_probe_read_user_str;

#define WORKING_DIRECTORY -100 /* AT_FDCWD: include/uapi/linux/fcntl.h */
#define REMOVE_DIRECTORY 0x200 /* AT_REMOVEDIR */

/* What is asked for lies in map memory: each call would else be one more way through all that follows. */
#define NAME(index, folder, string)                                                                  \
	({                                                                                           \
		asked->names[index].directory = (s32)(folder);                                       \
		asked->names[index].text = (string);                                                 \
	})

static __always_inline void understand(struct change_call *asked, u32 call, u64 *a)
{
	switch (call) {
	case CALL_RENAME:
	case CALL_LINK:
	case CALL_SYMLINK:
		asked->change = call == CALL_RENAME ? CHANGE_RENAME : call == CALL_LINK ? CHANGE_LINK : CHANGE_SYMLINK;
		NAME(SOURCE_NAME, WORKING_DIRECTORY, a[0]);
		NAME(PATH_NAME, WORKING_DIRECTORY, a[1]);
		break;
	case CALL_RENAMEAT:
	case CALL_RENAMEAT2:
	case CALL_LINKAT:
		asked->change = call == CALL_LINKAT			       ? CHANGE_LINK :
				call == CALL_RENAMEAT2 && a[4] & RENAME_EXCHANGE ? CHANGE_EXCHANGE :
										 CHANGE_RENAME;
		NAME(SOURCE_NAME, a[0], a[1]);
		NAME(PATH_NAME, a[2], a[3]);
		break;
	case CALL_SYMLINKAT:
		asked->change = CHANGE_SYMLINK;
		NAME(SOURCE_NAME, WORKING_DIRECTORY, a[0]);
		NAME(PATH_NAME, a[1], a[2]);
		break;
	case CALL_UNLINK:
		asked->change = CHANGE_UNLINK;
		NAME(PATH_NAME, WORKING_DIRECTORY, a[0]);
		break;
	case CALL_UNLINKAT:
		asked->change = a[2] & REMOVE_DIRECTORY ? 0 : CHANGE_UNLINK;
		NAME(PATH_NAME, a[0], a[1]);
		break;
	case CALL_TRUNCATE:
		asked->change = CHANGE_TRUNCATE;
		NAME(PATH_NAME, WORKING_DIRECTORY, a[0]);
		break;
	case CALL_FTRUNCATE:
		asked->change = CHANGE_TRUNCATE;
		NAME(PATH_NAME, a[0], 0);
		break;
	}
}

/* Reads the text of a name as the call was given it, and finds where it begins. Another thread can write the text anew
 * meanwhile: then the other text is reported. */
static __always_inline void read_text(struct change_slot *slot, struct change_call *asked, u32 index,
				      struct task_struct *task)
{
	struct changed_name *name = &slot->names[index & 1];
	u8 *text = slot->texts[index & 1];
	u64 from = *(volatile u64 *)&asked->names[index & 1].text;
	s64 directory = *(volatile s64 *)&asked->names[index & 1].directory;
	*name = (struct changed_name){};
	long size = 0;
	if (from) {
		size = read_user_str(text, PATH_BYTES_MAX, (void *)from);
		if (size <= 0)
			return;
		name->text = text;
		name->text_size = size;
	}
	if (index == SOURCE_NAME && (!from || *(volatile u64 *)&asked->change == CHANGE_SYMLINK))
		return;
	if (from && (*text == '/' || directory == WORKING_DIRECTORY)) {
		struct fs_struct *fs = READ(task, fs);
		name->dentry = *text == '/' ? READ(fs, root_dentry) : READ(fs, pwd_dentry);
		name->mount = *text == '/' ? READ(fs, root_mnt) : READ(fs, pwd_mnt);
		return;
	}
	struct file *file = file_of(task, directory);
	if (!file)
		return;
	name->dentry = READ(file, f_path_dentry);
	name->mount = READ(file, f_path_mnt);
}

/* Reads the last component of a text to where `suffix_of` looks at it; its length. The search is like that for the
 * dot of a suffix. */
static __always_inline long read_leaf(struct change_slot *slot, u32 index, u8 *leaf)
{
	struct changed_name *name = &slot->names[index & 1];
	volatile u64 *slash = &slot->shared.dot, *length = &slot->shared.name_length;
	u8 *text = slot->texts[index & 1];
	if (!name->text)
		return name->dentry ? read_name(&slot->shared, leaf, name->dentry) : 0;
	*length = name->text_size - 1;
	*slash = 0;
#pragma clang loop unroll(disable)
	for (u32 i = 1; i < NAME_MAX_BYTES; i++) {
		if (i > *length || text[(*length - i) & (PATH_BYTES_MAX - 1)] == '/')
			break;
		*slash = i;
	}
	u64 start = *length - *slash;
	long copied = read_kernel_str(leaf, NAME_MAX_BYTES, text + (start & (PATH_BYTES_MAX - 1)));
	*length = copied > 0 ? copied - 1 : 0;
	return *length;
}

/* The five steps for one change that has happened. */
static __always_inline void report_change(u32 call, u64 *arguments)
{
	u32 zero = 0;
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct change_slot *slot = change_slots.lookup(&zero);
	if (!slot) {
		count_lost(KIND_FILE_CHANGED, LOST_TO_RING);
		return;
	}
	struct change_call *asked = &slot->asked;
	asked->change = 0;
	NAME(PATH_NAME, WORKING_DIRECTORY, 0);
	NAME(SOURCE_NAME, WORKING_DIRECTORY, 0);
	understand(asked, call, arguments);
	if (!*(volatile u64 *)&asked->change)
		return;
	struct actor actor = find_actor(task);
	if (actor.mark == MARK_OURS)
		return;
	struct file_changed *event = (struct file_changed *)slot->shared.bytes;
	u8 *leaf = slot->shared.bytes + sizeof(*event);
	volatile u64 *reasons = &slot->shared.reasons;
	*reasons = actor.mark ? CANDIDATE_WATCHED : 0;
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < NAMES; i++) {
		read_text(slot, asked, i, task);
		struct dentry *dentry = *(struct dentry *volatile *)&slot->names[i & 1].dentry;
		if (dentry && read_leaf(slot, i, leaf) > 0)
			*reasons |= name_reasons(slot, leaf);
	}
	struct file_facts facts = {};
	struct file *file = call == CALL_FTRUNCATE ? file_of(task, (s32)arguments[0]) : 0;
	if (file)
		read_file_facts(&facts, READ(file, f_inode));
	if (!*reasons)
		return;
	event->device = facts.device;
	event->inode = facts.inode;
	event->size = facts.size;
	event->mtime_ns = facts.mtime_ns;
	event->ctime_ns = facts.ctime_ns;
	event->other_device = 0;
	event->other_inode = 0;
	event->action = *(volatile u64 *)&asked->change;
	send_change(&actor, slot, *reasons);
}
#endif
