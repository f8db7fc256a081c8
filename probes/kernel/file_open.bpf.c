/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#include "common.h"

#define MODE_TYPE_MASK 0170000
#define MODE_REGULAR 0100000
#define OPEN_ACCESS_MODE 03
#define OPEN_WRITE_ONLY 01
#define OPEN_PATH_ONLY 010000000

#define SUFFIX_BYTES 16
#define WEAK_MIN_BYTES 32
#define SHA256_PREFIX 0x2d363532616873ULL /* `sha256-`, little-endian as every kernel that we know */

/* Suffixes that models have, in lower case and without the dot; the value is a SUFFIX_* below. */
struct suffix {
	char text[SUFFIX_BYTES];
};
#define SUFFIX_WEAK 1
#define SUFFIX_STRONG 2
BPF_HASH(suffixes, struct suffix, u32, 256);

/* What the inspector found, by file and state; least recently used entries leave. The size is part of the state,
 * for two changes within one tick of the file system's clock (4 ms) have the same ctime. */
struct file_key {
	u64 device;
	u64 inode;
	u64 size;
	u64 ctime_ns;
};
#define KNOWN_NO_MODEL 1
#define KNOWN_MODEL 2
BPF_TABLE("lru_hash", struct file_key, u32, known, 65536);

/* Opens that were reported: the next ones of the same process, file and access are counted here instead.
 * Two tables take turns, so that user space can empty the one that no program writes to (opens.py). */
struct seen_key {
	u32 pid;
	u32 access;
	u64 start_ns;
	struct file_key file;
};
BPF_HASH(seen_even, struct seen_key, u64, 32768);
BPF_HASH(seen_odd, struct seen_key, u64, 32768);
/* [0] opens counted instead of reported, [1] rows added: tells user space whether to look at all. */
BPF_PERCPU_ARRAY(seen_counters, u64, 2);

static __always_inline void bump(u32 index)
{
	u64 *count = seen_counters.lookup(&index);
	if (count)
		*count += 1;
}

/* Whether this open is a repetition; if so it is counted. A full table suppresses nothing. */
static __always_inline int is_repeated(struct seen_key *key, u64 generation)
{
	u64 zero = 0;
	u64 *count = generation & 1 ? seen_odd.lookup(key) : seen_even.lookup(key);
	if (count) {
		__sync_fetch_and_add(count, 1);
		bump(0);
		return 1;
	}
	if (generation & 1)
		seen_odd.insert(key, &zero);
	else
		seen_even.insert(key, &zero);
	bump(1);
	return 0;
}

/* Eight characters at a time, without a branch: a branch for each would be more ways through the program than
 * the verifier follows. In a byte below 0x80, adding (0x80 - n) carries into the top bit exactly when it is >= n. */
#define EACH_BYTE 0x0101010101010101ULL
#define TOP_BITS (0x80 * EACH_BYTE)
#define AT_LEAST(bytes, n) ((bytes) + (0x80 - (n)) * EACH_BYTE)

static __always_inline int is_hexadecimal(u8 *name, u32 words)
{
	u64 all = TOP_BITS;
	for (u32 i = 0; i < words; i++) {
		u64 eight = *(u64 *)(name + 8 * i);
		u64 lower = eight | 0x20 * EACH_BYTE;
		u64 digits = AT_LEAST(eight, '0') & ~AT_LEAST(eight, '9' + 1);
		u64 letters = AT_LEAST(lower, 'a') & ~AT_LEAST(lower, 'f' + 1);
		all &= (digits | letters) & ~eight;
	}
	return (all & TOP_BITS) == TOP_BITS;
}

/* A name of a content-addressed store: 40 or 64 hexadecimal digits, or `sha256-` and 64. */
static __always_inline int is_content_addressed(u8 *name, u32 length)
{
	if (length == 40)
		return is_hexadecimal(name, 5);
	if (length == 64)
		return is_hexadecimal(name, 8);
	if (length != 71 || (*(u64 *)name & ~(0xffULL << 56)) != SHA256_PREFIX)
		return 0;
	return is_hexadecimal(name + 7, 8);
}

static __always_inline u64 lower_case(u64 eight)
{
	u64 ascii = eight & ~TOP_BITS; /* so that no addition carries into the next byte */
	u64 upper = AT_LEAST(ascii, 'A') & ~AT_LEAST(ascii, 'Z' + 1) & ~eight & TOP_BITS;
	return eight | upper >> 2; /* 0x80 becomes 0x20 */
}

/* SUFFIX_* of a name, 0 for one that says nothing. What the loops find lies in map memory: see walk_path. */
static __always_inline u32 suffix_of(struct scratch *slot, u8 *name)
{
	struct suffix *suffix = (struct suffix *)&slot->suffix;
	volatile u64 *dot = &slot->dot, *length = &slot->name_length;

	*dot = 0;
	for (u32 i = 1; i <= SUFFIX_BYTES; i++) {
		if (i > *length)
			break;
		if (name[(*length - i) & (NAME_MAX_BYTES - 1)] == '.') {
			*dot = i;
			break;
		}
	}
	u32 distance = *dot; /* of the dot from the end of the name */
	if (distance < 2)
		return 0;
	slot->suffix[0] = 0;
	slot->suffix[1] = 0;
	for (u32 i = 0; i < SUFFIX_BYTES - 1; i++) {
		if (i + 1 >= distance)
			break;
		suffix->text[i] = name[(*length - distance + 1 + i) & (NAME_MAX_BYTES - 1)];
	}
	slot->suffix[0] = lower_case(slot->suffix[0]);
	slot->suffix[1] = lower_case(slot->suffix[1]);
	u32 *found = suffixes.lookup(suffix);
	return found ? *found : 0;
}

/* Why an open matters, CANDIDATE_* bits of candidate.py; 0 when it does not. */
static __always_inline u32 candidate(struct scratch *slot, u8 *name, u64 size, u64 large_bytes)
{
	u32 reasons = 0, suffix = suffix_of(slot, name);
	if (suffix == SUFFIX_STRONG)
		reasons |= CANDIDATE_STRONG_SUFFIX;
	else if (suffix == SUFFIX_WEAK && size >= WEAK_MIN_BYTES)
		reasons |= CANDIDATE_WEAK_SUFFIX;
	if (is_content_addressed(name, *(volatile u64 *)&slot->name_length))
		reasons |= CANDIDATE_CONTENT_ADDRESSED;
	if (size >= large_bytes)
		reasons |= CANDIDATE_LARGE;
	return reasons;
}

/* Marks a process at the instant of the open, so that what it does in the next microsecond is not missed. */
static __always_inline void mark_provisionally(u32 pid, u64 start_ns, u64 now_ns, u64 lifetime_ns)
{
	struct mark *mark = marks.lookup(&pid);
	if (mark && same_start(mark->start_ns, start_ns) && mark->state != MARK_PROVISIONAL)
		return;
	struct mark fresh = {.start_ns = start_ns, .until_ns = now_ns + lifetime_ns, .state = MARK_PROVISIONAL};
	marks.update(&pid, &fresh);
}

/* The five steps for one opened file. */
static __always_inline void report_open(struct task_struct *task, struct file *file)
{
	u32 kind = KIND_FILE_OPENED, zero = 0, pid = bpf_get_current_pid_tgid() >> 32;
	struct inode *inode = READ(file, f_inode);
	u32 flags = READ(file, f_flags);
	if ((READ(inode, i_mode) & MODE_TYPE_MASK) != MODE_REGULAR || flags & OPEN_PATH_ONLY)
		return;

	u64 start_ns = start_of(task);
	struct mark *mark = mark_of(pid, start_ns);
	if (is_ours(mark))
		return;

	struct settings *chosen = settings.lookup(&zero);
	struct scratch *slot = scratch.lookup(&kind);
	if (!chosen || !slot) {
		count_lost(kind);
		return;
	}
	struct file_opened *event = (struct file_opened *)slot->bytes;
	u8 *tail = slot->bytes + sizeof(*event);
	struct dentry *dentry = READ(file, f_path_dentry);
	long length = read_kernel_str(tail, NAME_MAX_BYTES, READ(dentry, d_name)) - 1;
	if (length < 0)
		return;
	slot->name_length = length;
	u64 size = READ(inode, i_size);
	/* In map memory as well: known in registers, each combination of reasons would be one more way through all
	 * that follows, and kernels before 6.18 give up after a million instructions. */
	volatile u64 *reasons = &slot->reasons, *weights = &slot->weights;
	*reasons = candidate(slot, tail, size, chosen->large_bytes) | (mark ? CANDIDATE_WATCHED : 0);
	if (!*reasons)
		return;

	struct file_facts facts = {};
	read_file_facts(&facts, inode);
	struct seen_key key = {.pid = pid, .access = flags & OPEN_ACCESS_MODE, .start_ns = start_ns};
	key.file.device = facts.device;
	key.file.inode = facts.inode;
	key.file.size = facts.size;
	key.file.ctime_ns = facts.ctime_ns;
	u32 *verdict = known.lookup(&key.file);
	if (verdict && *verdict == KNOWN_NO_MODEL && !(*reasons & CANDIDATE_WATCHED))
		return;
	if (verdict && *verdict == KNOWN_MODEL)
		*reasons |= CANDIDATE_KNOWN_MODEL;
	*weights = size && (flags & OPEN_ACCESS_MODE) != OPEN_WRITE_ONLY && !(verdict && *verdict == KNOWN_NO_MODEL) &&
		   *reasons & (CANDIDATE_STRONG_SUFFIX | CANDIDATE_KNOWN_MODEL);
	if (*weights)
		mark_provisionally(pid, start_ns, bpf_ktime_get_boot_ns(), chosen->provisional_ns);
	u64 generation = chosen->generation;
	if (is_repeated(&key, generation))
		return;

	fill_task((struct task_event *)event, task, start_ns);
	event->device = facts.device;
	event->inode = facts.inode;
	event->size = facts.size;
	event->mtime_ns = facts.mtime_ns;
	event->ctime_ns = facts.ctime_ns;
	event->open_flags = flags;
	event->reasons = *reasons;
	u32 cut = 0;
	u32 path_size = walk_path(slot, sizeof(*event), dentry, READ(file, f_path_mnt), &cut);
	event->path_size = path_size;
	event->path_cut = cut;
	if (submit((struct task_event *)event, kind, sizeof(*event) + path_size, *weights) != 0) {
		/* Not reported, so the next one is no repetition. */
		if (generation & 1)
			seen_odd.delete(&key);
		else
			seen_even.delete(&key);
	}
}

/* The file behind a descriptor of the running process. Another thread can close or replace the descriptor
 * between the end of the call and this read: then the other file is reported, or none. */
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

static __always_inline int report_descriptor(long descriptor)
{
	if (descriptor < 0)
		return 0;
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct file *file = file_of(task, descriptor);
	if (file)
		report_open(task, file);
	return 0;
}

#ifdef HOOK_file_open_tracepoint
/* Fields of events/syscalls/sys_exit_*: 8 bytes common to all events, then `int __syscall_nr`, `long ret`.
 * Checked on 5.10, 6.1, 6.12, 6.18 and 7.2. */
struct sys_exit_arguments {
	u64 common;
	long number;
	long result;
};

int file_open_tracepoint(struct sys_exit_arguments *ctx)
{
	return report_descriptor(ctx->result);
}
#endif

#ifdef HOOK_file_open_raw_tracepoint
/* TP_PROTO(struct pt_regs *regs, long ret): include/trace/events/syscalls.h. Checked on 5.10, 6.1, 6.12, 6.18 and
 * 7.2. Every system call of the machine passes here, so the number is looked at first. */
int file_open_raw_tracepoint(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)ctx->args[0];
	long number = READ(regs, number);
	if (number != SYSCALL_OPENAT && number != SYSCALL_OPENAT2 && number != SYSCALL_OPEN &&
	    number != SYSCALL_CREAT)
		return 0;
	return report_descriptor(ctx->args[1]);
}
#endif
