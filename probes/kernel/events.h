/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Rendered by `make header` from the records in this folder's Python files: do not edit. */
#pragma once

#define COMPONENTS_MAX 64
#define PATH_BYTES_MAX 4096
#define KINDS_END 5
#define RECORD_MAX 8560

#define CANDIDATE_STRONG_SUFFIX 1
#define CANDIDATE_WEAK_SUFFIX 2
#define CANDIDATE_CONTENT_ADDRESSED 4
#define CANDIDATE_LARGE 8
#define CANDIDATE_WATCHED 16
#define CANDIDATE_KNOWN_MODEL 32

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

/* A process opened a regular file; repetitions are counted in the kernel (sampled/opens.py). */
#define KIND_FILE_OPENED 3
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
	u16 path_cut;
	u16 path_size;
	u8 padding[6];
};
#define FILE_OPENED_PATH_MAX 4096

/* A process made another one (threads are none). */
#define KIND_PROCESS_FORKED 4
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
