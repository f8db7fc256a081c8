/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Reports that a name or a size changes: the two names, the filter on them, the record. See file_change.py.
 */
#pragma once
#include "use.h"

#define MODE_DIRECTORY 0040000
#define RENAME_EXCHANGE 2 /* include/uapi/linux/fs.h */
#define PATH_NAME 0   /* index: what the name is afterwards */
#define SOURCE_NAME 1 /* index: what it was before */
#define NAMES 2

/* One of the names. By fentry `dentry` is its own, else the directory that the text begins in. */
struct changed_name {
	struct dentry *dentry; /* 0 when nothing is to be walked */
	struct vfsmount *mount;
	u8 *text;      /* in kernel or map memory, 0 for none */
	u64 text_size; /* with its NUL */
	struct inode *inode; /* of the file that has the name, 0 where it is unknown or there is none */
};

/* What a system call asks for, in the same words for all of them. */
struct change_call {
	u64 change; /* CHANGE_*, 0 for what is none */
	struct {
		s64 directory;
		u64 text; /* in the memory of the process, 0 for a name that is not given */
	} names[NAMES];
};

/* Where a record is put together. Programs of fentry can be interrupted by each other, so each has one of its own. */
struct change_slot {
	struct scratch shared;
	u8 room[PATH_BYTES_MAX + NAME_MAX_BYTES]; /* what may be written past a full record */
	struct changed_name names[NAMES];
	u64 tails; /* bytes of those that are written */
#ifdef HOOK_file_change_raw_tracepoint
	struct change_call asked;
	u8 texts[NAMES][PATH_BYTES_MAX];
#endif
};
#ifdef HOOK_file_change_raw_tracepoint
#define CHANGE_SLOTS 1
#else
#define CHANGE_SLOTS 6
#endif
BPF_PERCPU_ARRAY(change_slots, struct change_slot, CHANGE_SLOTS);

/* Reads the file name that a change is about to where `suffix_of` looks at it; returns its reasons. */
static __always_inline u32 name_reasons(struct change_slot *slot, u8 *name)
{
#ifdef HOOK_file_change_raw_tracepoint
	/* No file tells here that it is a known model: what is called like one goes to user space, which compares. */
	u32 reasons = candidate(&slot->shared, name, WEAK_MIN_BYTES, -1ULL);
#else
	u32 reasons = suffix_of(&slot->shared, name) == SUFFIX_STRONG ? CANDIDATE_STRONG_SUFFIX : 0;
#endif
	return reasons | (is_named(&slot->shared, name) ? CANDIDATE_NAMED_FILE : 0);
}

/* The reasons that lie in the file: that it is a model. */
static __always_inline u32 file_reasons(struct file_facts *facts)
{
	struct file_key key = {facts->device, facts->inode, facts->size, facts->ctime_ns};
	u32 *verdict = known.lookup(&key);
	return verdict && *verdict == KNOWN_MODEL ? CANDIDATE_KNOWN_MODEL : 0;
}

/* Writes one name behind the tails so far: the components of the walk, and if there is a text too, a NUL and the text;
 * decode_place of wire.py puts them together. A walk that leaves the text no room is left out. Returns the size. */
static __always_inline u32 write_name(struct change_slot *slot, u32 offset, struct changed_name *name, u32 *cut)
{
	u64 size = 0, text_size = *(volatile u64 *)&name->text_size;
	struct dentry *dentry = *(struct dentry *volatile *)&name->dentry;
	if (dentry)
		size = walk_path(&slot->shared, offset, dentry, name->mount, cut);
	u8 *text = *(u8 *volatile *)&name->text;
	if (!text)
		return size;
	if (size + text_size > PATH_BYTES_MAX) {
		size = 0;
		*cut = 1;
	}
	u8 *target = (u8 *)slot + offsetof(struct change_slot, shared.bytes) + offset;
	if (dentry) {
		target[size & (PATH_BYTES_MAX - 1)] = 0;
		size++;
	}
	asm volatile("" : "+r"(size));
	if (size > PATH_BYTES_MAX)
		size = PATH_BYTES_MAX;
	long copied = read_kernel_str(target + size, PATH_BYTES_MAX, text);
	if (copied > 0)
		size += copied - 1;
	return size;
}

/* The last steps: fill, submit. What is particular to the change is in the event already. */
static __always_inline void send_change(struct actor *actor, struct change_slot *slot, u64 reasons)
{
	struct file_changed *event = (struct file_changed *)slot->shared.bytes;
	complete(actor);
	fill_task((struct task_event *)event, actor);
	event->reasons = reasons;
	*(volatile u64 *)&slot->tails = 0;
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < NAMES; i++) {
		u64 before = *(volatile u64 *)&slot->tails;
		asm volatile("" : "+r"(before));
		if (before > PATH_BYTES_MAX)
			break;
		u32 cut = 0;
		u64 size = write_name(slot, sizeof(*event) + before, &slot->names[i & 1], &cut);
		if (i == PATH_NAME) {
			event->path_size = size;
			event->path_cut = cut;
		} else {
			event->source_size = size;
			event->source_cut = cut;
		}
		*(volatile u64 *)&slot->tails = before + size;
	}
	u64 tails = *(volatile u64 *)&slot->tails;
	submit(actor, (struct task_event *)event, KIND_FILE_CHANGED, sizeof(*event) + tails,
	       (reasons & CANDIDATE_NAMED_FILE) != 0);
}
