/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What every probe shares: maps, marks, the record's way out, the walk from a file to its path.
 *
 * Every program takes the same five steps: skip ourselves, filter, reserve or count, fill, submit.
 * The kernel structs are rendered from the running kernel's BTF (btf.py) and hold only the fields that
 * some probe names in its `reads`, so no kernel header is needed.
 */
#pragma once

#define DEVICE_MINOR_BITS 20
#define NANOSECONDS_MASK 0x3fffffff /* since 6.13 a flag shares the word (fs: multigrain timestamps) */
#define SECOND_NS 1000000000ULL
#define TICK_NS 10000000ULL /* of /proc/PID/stat: USER_HZ is 100 */

/* The helpers by names of our own: bcc replaces its names for them by the old bpf_probe_read, which guesses the
 * address space, unless it finds them in /proc/kallsyms, which we do not let it read (compiler.py). */
static long (*read_kernel)(void *target, u32 size, const void *source) = (void *)BPF_FUNC_probe_read_kernel;
static long (*read_kernel_str)(void *target, u32 size, const void *source) = (void *)BPF_FUNC_probe_read_kernel_str;
static long (*read_user)(void *target, u32 size, const void *source) = (void *)BPF_FUNC_probe_read_user;

/* Reads one field of a kernel struct; a bad address gives zero, never a fault. */
#define READ(source, field)                                                                          \
	({                                                                                           \
		typeof((source)->field) _value = 0;                                                  \
		read_kernel(&_value, sizeof(_value), &(source)->field);                              \
		_value;                                                                              \
	})

/* ---- maps ---------------------------------------------------------------------------------------- */

BPF_RINGBUF_OUTPUT(ring, RING_PAGES);
/* Records that found no room, by kind; user space reads it and reports the difference. */
BPF_PERCPU_ARRAY(lost, u64, KINDS_END);

/* Set once by user space, before anything is attached. */
struct settings {
	u64 large_bytes;    /* a file at least this large is a candidate whatever its name */
	u64 provisional_ns; /* how long an unconfirmed mark lives */
	u64 generation;     /* which of the two tables of seen opens is in use: its lowest bit */
};
BPF_ARRAY(settings, struct settings, 1);

/* Marks on processes, by thread group. A fork passes them on, the end of the process removes them. */
#define MARK_PROVISIONAL 1 /* opened something that looks like a model; expires, ends at exec */
#define MARK_CONFIRMED 2   /* user space agrees; carried through exec */
#define MARK_OURS 3        /* the daemon and its children: never reported */
struct mark {
	u64 start_ns; /* of the process, against reuse of its number */
	u64 until_ns; /* when a provisional mark ends */
	u64 state;
};
BPF_HASH(marks, u32, struct mark, 16384);

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

static __always_inline void count_lost(u32 kind)
{
	u64 *count = lost.lookup(&kind);
	if (count)
		*count += 1;
}

/* Sends `length` bytes of a record; a record that finds no room is counted. Returns 0 when it went out. */
static __always_inline int submit(struct task_event *event, u32 kind, u64 length, int urgent)
{
	/* From here the compiler takes the length for unknown. It would prove that no record is longer and drop the
	 * check, and the verifier cannot prove it (seen: LLVM 19 with 5.10 and 6.1). */
	asm volatile("" : "+r"(length));
	if (length > RECORD_MAX - 1)
		length = RECORD_MAX - 1;
	event->kind = kind;
	event->flags = 0;
	event->length = length;
	if (ring.ringbuf_output(event, length, wake_flag(event->at, length, urgent)) == 0)
		return 0;
	count_lost(kind);
	return -1;
}

/* ---- processes ----------------------------------------------------------------------------------- */

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

static __always_inline int is_ours(struct mark *mark)
{
	return mark && mark->state == MARK_OURS;
}

/* Fills what every record says of the process that is running. */
static __always_inline void fill_task(struct task_event *event, struct task_struct *task, u64 start_ns)
{
	u64 ids = bpf_get_current_pid_tgid();
	event->at = bpf_ktime_get_boot_ns();
	event->pid = ids >> 32;
	event->tid = (u32)ids;
	event->start_ns = start_ns;
	event->cgroup = bpf_get_current_cgroup_id();
	event->uid = (u32)bpf_get_current_uid_gid();
#ifdef HAS_task_struct_loginuid
	event->login_uid = READ(task, loginuid);
#else
	event->login_uid = -1;
#endif
	event->mount_ns = mount_namespace_of(task);
	event->pid_ns = pid_namespace_of(task);
}

/* ---- files --------------------------------------------------------------------------------------- */

struct file_facts {
	u64 device; /* as stat shows it */
	u64 inode;
	u64 size;
	u64 mtime_ns;
	u64 ctime_ns;
};

/* The kernel's device number as user space sees it: new_encode_dev of include/linux/kdev_t.h. */
static __always_inline u64 encode_device(u32 device)
{
	u32 major = device >> DEVICE_MINOR_BITS, minor = device & ((1 << DEVICE_MINOR_BITS) - 1);
	return (minor & 0xff) | (major << 8) | ((u64)(minor & ~0xff) << 12);
}

static __always_inline void read_file_facts(struct file_facts *facts, struct inode *inode)
{
	struct super_block *super = READ(inode, i_sb);
	facts->device = encode_device(READ(super, s_dev));
	facts->inode = READ(inode, i_ino);
	facts->size = READ(inode, i_size);
	facts->mtime_ns = READ(inode, i_mtime_sec) * SECOND_NS + (READ(inode, i_mtime_nsec) & NANOSECONDS_MASK);
	facts->ctime_ns = READ(inode, i_ctime_sec) * SECOND_NS + (READ(inode, i_ctime_nsec) & NANOSECONDS_MASK);
}

#define NAME_MAX_BYTES 256 /* NAME_MAX and the NUL */
#define MOUNTS_MAX 16

/*
 * Writes the components of a path, leaf first, each with its NUL, up to the root of the mount namespace.
 * Returns their length in bytes; *cut says that COMPONENTS_MAX or PATH_BYTES_MAX ended the walk.
 *
 * What the walk knows lives in map memory, through volatile: the verifier then takes it for unknown at each
 * step and sees one state a step, where it would follow every way through the loop if it knew the values.
 */
static __always_inline u32 walk_path(struct scratch *slot, u32 offset, struct dentry *dentry,
				     struct vfsmount *vfsmount, u32 *cut)
{
	struct mount *mount = (void *)vfsmount - offsetof(struct mount, mnt);
	struct dentry *mount_root = READ(vfsmount, mnt_root);
	volatile u64 *length = &slot->path_length, *components = &slot->path_components;

	*length = 0;
	*components = 0;
	*cut = 1;
	for (int step = 0; step < COMPONENTS_MAX + MOUNTS_MAX; step++) {
		if (dentry == mount_root) {
			struct mount *above = READ(mount, mnt_parent);
			if (above == mount) {
				*cut = 0;
				break;
			}
			dentry = READ(mount, mnt_mountpoint);
			mount = above;
			mount_root = READ((struct vfsmount *)&mount->mnt, mnt_root);
			continue;
		}
		u64 end = *length;
		if (*components == COMPONENTS_MAX || end >= PATH_BYTES_MAX)
			break;
		struct dentry *parent = READ(dentry, d_parent);
		long copied = read_kernel_str(slot->bytes + offset + (end & (PATH_BYTES_MAX - 1)), NAME_MAX_BYTES,
					      READ(dentry, d_name));
		if (copied <= 0 || end + copied > PATH_BYTES_MAX)
			break;
		*length = end + copied;
		*components += 1;
		if (parent == dentry) { /* a file without a place, such as a memfd */
			*cut = 0;
			break;
		}
		dentry = parent;
	}
	u64 total = *length;
	return total > PATH_BYTES_MAX ? PATH_BYTES_MAX : total;
}
