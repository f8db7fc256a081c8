/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The ends of system calls, where nothing better tells of opens, mappings and changes: one program for all of them,
 * because every call of the machine passes here.
 */
#pragma once
#include "change_calls.h"

#ifdef HOOK_file_open_raw_tracepoint
#define LOOKS_AT_OPENS 1
#else
#define LOOKS_AT_OPENS 0 /* another hook tells of them */
#endif
#ifdef HOOK_file_map_raw_tracepoint
#define LOOKS_AT_MAPPINGS 1
#else
#define LOOKS_AT_MAPPINGS 0
#endif
#ifdef HOOK_file_change_raw_tracepoint
#define LOOKS_AT_CHANGES 1
#else
#define LOOKS_AT_CHANGES 0
#endif

#if LOOKS_AT_OPENS || LOOKS_AT_MAPPINGS || LOOKS_AT_CHANGES
#define CALL_FAILED(result) ((u64)(result) > -4096ULL) /* an error number: include/linux/err.h */
#define CALL_IS_32_BIT 2 /* TS_COMPAT: arch/x86/include/asm/thread_info.h */

/* Which of the calls that matter this number is, CALL_NONE for all others: one search for both kinds of programs. */
#define CASES(prefix)                                                                                \
	case prefix##OPEN:                                                                           \
	case prefix##CREAT:                                                                          \
	case prefix##OPENAT:                                                                         \
	case prefix##OPENAT2:                                                                        \
	case prefix##OPEN_BY_HANDLE_AT:                                                              \
		return LOOKS_AT_OPENS ? CALL_OPEN : CALL_NONE;                                       \
	case prefix##MMAP:                                                                           \
		return LOOKS_AT_MAPPINGS ? CALL_MMAP : CALL_NONE;                                    \
	case prefix##RENAME:                                                                         \
		return LOOKS_AT_CHANGES ? CALL_RENAME : CALL_NONE;                                   \
	case prefix##RENAMEAT:                                                                       \
		return LOOKS_AT_CHANGES ? CALL_RENAMEAT : CALL_NONE;                                 \
	case prefix##RENAMEAT2:                                                                      \
		return LOOKS_AT_CHANGES ? CALL_RENAMEAT2 : CALL_NONE;                                \
	case prefix##LINK:                                                                           \
		return LOOKS_AT_CHANGES ? CALL_LINK : CALL_NONE;                                     \
	case prefix##LINKAT:                                                                         \
		return LOOKS_AT_CHANGES ? CALL_LINKAT : CALL_NONE;                                   \
	case prefix##SYMLINK:                                                                        \
		return LOOKS_AT_CHANGES ? CALL_SYMLINK : CALL_NONE;                                  \
	case prefix##SYMLINKAT:                                                                      \
		return LOOKS_AT_CHANGES ? CALL_SYMLINKAT : CALL_NONE;                                \
	case prefix##UNLINK:                                                                         \
		return LOOKS_AT_CHANGES ? CALL_UNLINK : CALL_NONE;                                   \
	case prefix##UNLINKAT:                                                                       \
		return LOOKS_AT_CHANGES ? CALL_UNLINKAT : CALL_NONE;                                 \
	case prefix##TRUNCATE:                                                                       \
		return LOOKS_AT_CHANGES ? CALL_TRUNCATE : CALL_NONE;                                 \
	case prefix##FTRUNCATE:                                                                      \
		return LOOKS_AT_CHANGES ? CALL_FTRUNCATE : CALL_NONE;

static __always_inline u32 wide_call(long number)
{
	switch (number) {
		CASES(SYSCALL_)
	}
	return CALL_NONE;
}

static __always_inline u32 narrow_call(long number)
{
#ifdef HAS_task_struct_thread_status
	switch (number) {
		CASES(SYSCALL_32_)
	case SYSCALL_32_TRUNCATE64:
		return LOOKS_AT_CHANGES ? CALL_TRUNCATE : CALL_NONE;
	case SYSCALL_32_FTRUNCATE64:
		return LOOKS_AT_CHANGES ? CALL_FTRUNCATE : CALL_NONE;
	}
#endif
	return CALL_NONE;
}

/* Whether the call is one of a 32-bit program, or of `int 0x80`: its numbers and registers are others. */
static __always_inline int is_narrow(struct task_struct *task)
{
#ifdef HAS_task_struct_thread_status
	return (READ(task, thread_status) & CALL_IS_32_BIT) != 0;
#else
	return 0;
#endif
}

static __always_inline void read_arguments(u64 *arguments, struct pt_regs *regs, int narrow)
{
#ifdef HAS_pt_regs_r10
	arguments[0] = narrow ? (u32)READ(regs, bx) : READ(regs, di);
	arguments[1] = narrow ? (u32)READ(regs, cx) : READ(regs, si);
	arguments[2] = narrow ? (u32)READ(regs, dx) : READ(regs, dx);
	arguments[3] = narrow ? (u32)READ(regs, si) : READ(regs, r10);
	arguments[4] = narrow ? (u32)READ(regs, di) : READ(regs, r8);
#else
	read_kernel(arguments, ARGUMENTS * sizeof(*arguments), &regs->registers);
#endif
}

/* TP_PROTO(struct pt_regs *regs, long ret): include/trace/events/syscalls.h. Checked on 5.10, 6.1, 6.12, 6.18 and
 * 7.2. Most calls that pass here are none of ours, so the number is looked at first. */
int ends_of_calls(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)ctx->args[0];
	long number = READ(regs, number), result = ctx->args[1];
	u32 wide = wide_call(number), narrow = narrow_call(number);
	if (!(wide | narrow) || CALL_FAILED(result))
		return 0;
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	int narrow_task = is_narrow(task);
	u32 call = narrow_task ? narrow : wide, kind = KIND_FILE_OPENED;
	struct scratch *slot = scratch.lookup(&kind);
	if (!call || !slot)
		return 0;
	/* Known in a register, each call would be one more way through all that follows: see walk_path. */
	*(volatile u64 *)&slot->call = call;
	call = *(volatile u64 *)&slot->call;
	u64 arguments[ARGUMENTS] = {};
	if (call != CALL_OPEN)
		read_arguments(arguments, regs, narrow_task);
	if (call > CALL_MMAP) {
#if LOOKS_AT_CHANGES
		report_change(call, arguments);
#endif
		return 0;
	}
	struct file *file = file_of(task, call == CALL_OPEN ? result : (s32)arguments[4]);
	if (file)
		report_use(task, file, call == CALL_OPEN ? KIND_FILE_OPENED : KIND_FILE_MAPPED);
	return 0;
}
#endif
