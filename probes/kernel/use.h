/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Reports that a process uses a file, by an open or by a mapping: filter, repetitions, marks, the record.
 */
#pragma once
#include "candidate.h"

#define MODE_TYPE_MASK 0170000
#define MODE_REGULAR 0100000
#define FILE_MODE_CREATED 0x100000   /* FMODE_CREATED: include/linux/fs.h */
#define FILE_MODE_INTERNAL 0x20000000 /* FMODE_NOACCOUNT: opened by the kernel for itself */
#define OPEN_ACCESS_MODE 03
#define OPEN_READ_ONLY 00
#define OPEN_WRITE_ONLY 01
#define OPEN_READ_WRITE 02
#define OPEN_CREATE 0100
#define OPEN_TRUNCATE 01000
#define OPEN_PATH_ONLY 010000000
#define USE_MAPPING 4 /* beside the access modes of an open, in seen_key */

/* What the inspector found, by file and state; least recently used entries leave. */
BPF_TABLE("lru_hash", struct file_key, u32, known, KNOWN_MAX);

/* Uses that were reported: the next ones of the same process, file and access are counted here instead.
 * Two tables take turns, so that user space can empty the one that no program writes to (opens.py). */
BPF_HASH(seen_even, struct seen_key, u64, SEEN_MAX);
BPF_HASH(seen_odd, struct seen_key, u64, SEEN_MAX);
/* SEEN_COUNTED and SEEN_ROWS_ADDED: tells user space whether to look at all. */
BPF_PERCPU_ARRAY(seen_counters, u64, 2);

static __always_inline void bump(u32 index)
{
	u64 *count = seen_counters.lookup(&index);
	if (count)
		*count += 1;
}

static __always_inline u64 *seen(struct seen_key *key, u64 generation)
{
	return generation & 1 ? seen_odd.lookup(key) : seen_even.lookup(key);
}

/* Whether this use is a repetition; if so it is counted. A full table suppresses nothing. */
static __always_inline int is_repeated(struct seen_key *key, u64 generation)
{
	u64 zero = 0;
	u64 *count = seen(key, generation);
	if (count) {
		__sync_fetch_and_add(count, 1);
		bump(SEEN_COUNTED);
		return 1;
	}
	if (generation & 1)
		seen_odd.insert(key, &zero);
	else
		seen_even.insert(key, &zero);
	bump(SEEN_ROWS_ADDED);
	return 0;
}

/* Whether a mapping says nothing new: the process was reported to read the file, or has mapped it before. */
static __always_inline int is_known_reader(struct seen_key *key, u64 generation)
{
	key->access = OPEN_READ_ONLY;
	if (seen(key, generation))
		return 1;
	key->access = OPEN_READ_WRITE;
	if (seen(key, generation))
		return 1;
	key->access = USE_MAPPING;
	return seen(key, generation) != 0;
}

/* Marks a process at the instant of the use, so that what it does in the next microsecond is not missed. */
static __always_inline void mark_provisionally(struct actor *actor, u64 lifetime_ns)
{
	u64 now_ns = bpf_ktime_get_boot_ns();
	struct mark *mark = marks.lookup(&actor->pid);
	if (mark && same_start(mark->start_ns, actor->start_ns) &&
	    (mark->state != MARK_PROVISIONAL || mark->until_ns > now_ns + lifetime_ns / 2))
		return;
	struct mark fresh = {.start_ns = actor->start_ns, .until_ns = now_ns + lifetime_ns, .state = MARK_PROVISIONAL};
	set_mark(actor->pid, &fresh);
}

/* The five steps for one file that a process has opened (KIND_FILE_OPENED) or maps (KIND_FILE_MAPPED). Each program
 * has its own copy, which takes a tenth of a second to compile and verify: call it once. */
static __always_inline void report_use(struct task_struct *task, struct file *file, u32 kind)
{
	u32 zero = 0;
	int is_mapping = kind == KIND_FILE_MAPPED;
	struct inode *inode = READ(file, f_inode);
	u32 flags = READ(file, f_flags), mode = READ(file, f_mode);
	/* What overlayfs and FUSE open behind a file is theirs: the process uses the file in front. */
	if ((READ(inode, i_mode) & MODE_TYPE_MASK) != MODE_REGULAR || flags & OPEN_PATH_ONLY ||
	    mode & FILE_MODE_INTERNAL)
		return;

	struct actor actor = find_actor(task);
	if (actor.mark == MARK_OURS)
		return;

	struct settings *chosen = settings.lookup(&zero);
	struct scratch *slot = scratch.lookup(&kind);
	if (!chosen || !slot) {
		count_lost(kind, LOST_TO_RING);
		return;
	}
	struct file_event *event = (struct file_event *)slot->bytes;
	u8 *tail = slot->bytes + sizeof(struct file_opened);
	struct dentry *dentry = READ(file, f_path_dentry);
	if (read_name(slot, tail, dentry) < 0)
		return;
	/* By fentry the open has not emptied the file yet. */
	u64 size = flags & OPEN_TRUNCATE ? 0 : READ(inode, i_size);
	u32 access = flags & OPEN_ACCESS_MODE;
	if (is_mapping && access == OPEN_WRITE_ONLY)
		return; /* such a mapping is about to fail */
	int may_write = access != OPEN_READ_ONLY || flags & (OPEN_CREATE | OPEN_TRUNCATE);
	/* In map memory as well: known in registers, each combination of reasons would be one more way through all
	 * that follows, and kernels before 6.18 give up after a million instructions. */
	volatile u64 *reasons = &slot->reasons, *weights = &slot->weights;
	*reasons = candidate(slot, tail, size, chosen->large_bytes) | (actor.mark ? CANDIDATE_WATCHED : 0);
	if (!is_mapping && may_write && is_named(slot, tail))
		*reasons |= CANDIDATE_NAMED_FILE;
	if (!*reasons)
		return;

	complete(&actor);
	struct file_facts facts = {};
	read_file_facts(&facts, inode);
	struct seen_key key = {.pid = actor.pid, .access = access, .start_ns = actor.start_ns};
	key.device = facts.device;
	key.inode = facts.inode;
	key.size = size;
	key.ctime_ns = facts.ctime_ns;
	struct file_key in_state = {facts.device, facts.inode, size, facts.ctime_ns};
	u32 *verdict = known.lookup(&in_state);
	if (verdict && *verdict == KNOWN_NO_MODEL &&
	    !(*reasons & (CANDIDATE_WATCHED | CANDIDATE_NAMED_FILE | CANDIDATE_LIBRARY)))
		return;
	if (verdict && *verdict == KNOWN_MODEL)
		*reasons |= CANDIDATE_KNOWN_MODEL;
	*weights = size && access != OPEN_WRITE_ONLY && !(verdict && *verdict == KNOWN_NO_MODEL) &&
		   *reasons & (CANDIDATE_STRONG_SUFFIX | CANDIDATE_KNOWN_MODEL);
	if (*weights)
		mark_provisionally(&actor, chosen->provisional_ns);
	u64 generation = chosen->generation;
	if (is_mapping && is_known_reader(&key, generation))
		return;
	if (is_repeated(&key, generation))
		return;

	fill_task((struct task_event *)event, &actor);
	event->device = facts.device;
	event->inode = facts.inode;
	event->size = size;
	event->mtime_ns = facts.mtime_ns;
	event->ctime_ns = facts.ctime_ns;
	event->open_flags = flags;
	event->reasons = *reasons;
	event->created = mode & FILE_MODE_CREATED ? 1 : 0;
	u32 cut = 0;
	u32 path_size = walk_path(slot, sizeof(struct file_opened), dentry, READ(file, f_path_mnt), &cut);
	((struct file_opened *)event)->path_size = path_size;
	event->path_cut = cut;
	if (submit(&actor, (struct task_event *)event, kind, sizeof(struct file_opened) + path_size, *weights) != 0) {
		/* Not reported, so the next one is no repetition. */
		if (generation & 1)
			seen_odd.delete(&key);
		else
			seen_even.delete(&key);
	}
}
