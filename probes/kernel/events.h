/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Rendered by `make header` from the records in this folder's Python files: do not edit. */
#pragma once

#define COMPONENTS_MAX 64
#define PATH_BYTES_MAX 4096
#define KINDS_END 10
#define RECORD_MAX 8576

#define RECORD_SELF_TEST 1
#define TICK_NS 10000000ULL
#define WEAK_MIN_BYTES 32
#define CANDIDATE_STRONG_SUFFIX 1
#define CANDIDATE_WEAK_SUFFIX 2
#define CANDIDATE_CONTENT_ADDRESSED 4
#define CANDIDATE_LARGE 8
#define CANDIDATE_WATCHED 16
#define CANDIDATE_KNOWN_MODEL 32
#define CANDIDATE_NAMED_FILE 64
#define CANDIDATE_LIBRARY 128
#define CHANGE_RENAME 1
#define CHANGE_EXCHANGE 2
#define CHANGE_LINK 3
#define CHANGE_SYMLINK 4
#define CHANGE_UNLINK 5
#define CHANGE_TRUNCATE 6
#define SUFFIX_BYTES 16
#define MARKS_MAX 16384
#define SEEN_MAX 32768
#define KNOWN_MAX 65536
#define LOSS_REASONS 2
#define REFUSALS 1
#define SEEN_COUNTED 0
#define SEEN_ROWS_ADDED 1
#define MARK_PROVISIONAL 1
#define MARK_CONFIRMED 2
#define MARK_OURS 3
#define MARK_SELF_TEST 4
#define KNOWN_NO_MODEL 1
#define KNOWN_MODEL 2
#define SUFFIX_WEAK 1
#define SUFFIX_STRONG 2
#define SUFFIX_LIBRARY 3
#define LOST_TO_RING 0
#define LOST_TO_SHARE 1
#define REFUSED_BY_MARKS 0

struct mark {
	u64 start_ns;
	u64 until_ns;
	u64 state;
};

struct settings {
	u64 large_bytes;
	u64 provisional_ns;
	u64 generation;
};

struct file_key {
	u64 device;
	u64 inode;
	u64 size;
	u64 ctime_ns;
};

struct seen_key {
	u32 pid;
	u32 access;
	u64 start_ns;
	u64 device;
	u64 inode;
	u64 size;
	u64 ctime_ns;
};

struct name_key {
	u64 head;
	u64 tail;
	u64 length;
};

/* Every record of a process begins like this. */
/* A fact that a process caused. */
struct task_event {
	u16 kind;
	u16 flags;
	u32 length;
	u64 at;
	u32 pid;
	u32 tid;
	u64 start_ns;
	u64 cgroup;
	u32 uid;
	u32 login_uid;
	u32 mount_ns;
	u32 pid_ns;
};

/* And every one of a file like this. */
/* A fact about a regular file that a process uses. */
struct file_event {
	u16 kind;
	u16 flags;
	u32 length;
	u64 at;
	u32 pid;
	u32 tid;
	u64 start_ns;
	u64 cgroup;
	u32 uid;
	u32 login_uid;
	u32 mount_ns;
	u32 pid_ns;
	u64 device;
	u64 inode;
	u64 size;
	u64 mtime_ns;
	u64 ctime_ns;
	u32 open_flags;
	u16 reasons;
	u8 path_cut;
	u8 created;
};

/* A process became another program. */
#define KIND_PROCESS_EXECUTED 1
struct process_executed {
	u16 kind;
	u16 flags;
	u32 length;
	u64 at;
	u32 pid;
	u32 tid;
	u64 start_ns;
	u64 cgroup;
	u32 uid;
	u32 login_uid;
	u32 mount_ns;
	u32 pid_ns;
	u64 parent_start_ns;
	u64 device;
	u64 inode;
	u64 ctime_ns;
	u32 parent_pid;
	u16 reserved;
	u8 path_cut;
	u8 arguments_cut;
	u16 path_size;
	u16 arguments_size;
	u8 padding[4];
};
#define PROCESS_EXECUTED_PATH_MAX 4096
#define PROCESS_EXECUTED_ARGUMENTS_MAX 4096

/* A process ended. */
#define KIND_PROCESS_EXITED 2
struct process_exited {
	u16 kind;
	u16 flags;
	u32 length;
	u64 at;
	u32 pid;
	u32 tid;
	u64 start_ns;
	u64 cgroup;
	u32 uid;
	u32 login_uid;
	u32 mount_ns;
	u32 pid_ns;
	s32 exit_code;
	u32 reserved;
};

/* A process renamed, linked, removed or truncated a file. */
#define KIND_FILE_CHANGED 3
struct file_changed {
	u16 kind;
	u16 flags;
	u32 length;
	u64 at;
	u32 pid;
	u32 tid;
	u64 start_ns;
	u64 cgroup;
	u32 uid;
	u32 login_uid;
	u32 mount_ns;
	u32 pid_ns;
	u64 device;
	u64 inode;
	u64 size;
	u64 mtime_ns;
	u64 ctime_ns;
	u64 other_device;
	u64 other_inode;
	u16 action;
	u16 reasons;
	u8 path_cut;
	u8 source_cut;
	u16 path_size;
	u16 source_size;
	u8 padding[6];
};
#define FILE_CHANGED_PATH_MAX 4096
#define FILE_CHANGED_SOURCE_MAX 4096

/* A process mapped a regular file that it has not opened, as far as the kernel side has reported. */
#define KIND_FILE_MAPPED 4
struct file_mapped {
	u16 kind;
	u16 flags;
	u32 length;
	u64 at;
	u32 pid;
	u32 tid;
	u64 start_ns;
	u64 cgroup;
	u32 uid;
	u32 login_uid;
	u32 mount_ns;
	u32 pid_ns;
	u64 device;
	u64 inode;
	u64 size;
	u64 mtime_ns;
	u64 ctime_ns;
	u32 open_flags;
	u16 reasons;
	u8 path_cut;
	u8 created;
	u16 path_size;
	u8 padding[6];
};
#define FILE_MAPPED_PATH_MAX 4096

/* A process opened a regular file; repetitions are counted in the kernel (sampled/opens.py). */
#define KIND_FILE_OPENED 5
struct file_opened {
	u16 kind;
	u16 flags;
	u32 length;
	u64 at;
	u32 pid;
	u32 tid;
	u64 start_ns;
	u64 cgroup;
	u32 uid;
	u32 login_uid;
	u32 mount_ns;
	u32 pid_ns;
	u64 device;
	u64 inode;
	u64 size;
	u64 mtime_ns;
	u64 ctime_ns;
	u32 open_flags;
	u16 reasons;
	u8 path_cut;
	u8 created;
	u16 path_size;
	u8 padding[6];
};
#define FILE_OPENED_PATH_MAX 4096

/* A process made another one (threads are none). */
#define KIND_PROCESS_FORKED 6
struct process_forked {
	u16 kind;
	u16 flags;
	u32 length;
	u64 at;
	u32 pid;
	u32 tid;
	u64 start_ns;
	u64 cgroup;
	u32 uid;
	u32 login_uid;
	u32 mount_ns;
	u32 pid_ns;
	u64 child_start_ns;
	u32 child_pid;
	u32 reserved;
};

/* A process has a regular file in its memory, with or without a descriptor of it. */
#define KIND_MAPPING_HELD 7
struct mapping_held {
	u16 kind;
	u16 flags;
	u32 length;
	u64 at;
	u32 pid;
	u32 tid;
	u64 start_ns;
	u64 cgroup;
	u32 uid;
	u32 login_uid;
	u32 mount_ns;
	u32 pid_ns;
	u64 device;
	u64 inode;
	u64 size;
	u64 mtime_ns;
	u64 ctime_ns;
	u32 open_flags;
	u16 reasons;
	u8 path_cut;
	u8 created;
	u16 path_size;
	u8 padding[6];
};
#define MAPPING_HELD_PATH_MAX 4096

/* A process that runs; `tid` is a thread of it that lives, the first one as a rule. */
#define KIND_PROCESS_RUNNING 8
struct process_running {
	u16 kind;
	u16 flags;
	u32 length;
	u64 at;
	u32 pid;
	u32 tid;
	u64 start_ns;
	u64 cgroup;
	u32 uid;
	u32 login_uid;
	u32 mount_ns;
	u32 pid_ns;
	u64 parent_start_ns;
	u32 parent_pid;
	u8 reserved;
	u8 path_cut;
	u16 path_size;
};
#define PROCESS_RUNNING_PATH_MAX 4096

/* A process has a descriptor of a regular file; it says of the file what `FileOpened` says. */
#define KIND_FILE_HELD 9
struct file_held {
	u16 kind;
	u16 flags;
	u32 length;
	u64 at;
	u32 pid;
	u32 tid;
	u64 start_ns;
	u64 cgroup;
	u32 uid;
	u32 login_uid;
	u32 mount_ns;
	u32 pid_ns;
	u64 device;
	u64 inode;
	u64 size;
	u64 mtime_ns;
	u64 ctime_ns;
	u32 open_flags;
	u16 reasons;
	u8 path_cut;
	u8 created;
	u16 path_size;
	u8 padding[6];
};
#define FILE_HELD_PATH_MAX 4096
