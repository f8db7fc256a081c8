/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The ends of system calls, where nothing better tells of opens and mappings: one program for both, because every
 * call of the machine passes here.
 */
#pragma once
#include "use.h"

#define CALL_IS_32_BIT 2 /* TS_COMPAT: arch/x86/include/asm/thread_info.h */
#define CALL_FAILED(result) ((u64)(result) > -4096ULL) /* an error number: include/linux/err.h */

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

/* Whether the call that ends is one of a 32-bit program, or of `int 0x80`: its numbers and registers are others. */
static __always_inline int is_32_bit_call(struct task_struct *task)
{
#ifdef HAS_task_struct_thread_status
	return (READ(task, thread_status) & CALL_IS_32_BIT) != 0;
#else
	return 0;
#endif
}

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

#if LOOKS_AT_OPENS || LOOKS_AT_MAPPINGS
static __always_inline int is_open(long number)
{
	return number == SYSCALL_OPENAT || number == SYSCALL_OPENAT2 || number == SYSCALL_OPEN ||
	       number == SYSCALL_CREAT || number == SYSCALL_OPEN_BY_HANDLE_AT;
}

static __always_inline int is_32_bit_open(long number)
{
	return number == SYSCALL_32_OPEN || number == SYSCALL_32_OPENAT || number == SYSCALL_32_OPENAT2 ||
	       number == SYSCALL_32_CREAT || number == SYSCALL_32_OPEN_BY_HANDLE_AT;
}

/* The descriptor that mmap was called with, its fifth argument; negative for a mapping without a file. */
static __always_inline long mapped_descriptor(struct pt_regs *regs, int narrow)
{
#ifdef HAS_pt_regs_fifth
	return narrow ? (s32)READ(regs, fifth_of_32_bit) : (s32)READ(regs, fifth);
#else
	s64 fifth = 0;
	read_kernel(&fifth, sizeof(fifth), (u64 *)&regs->registers + 4);
	return (s32)fifth;
#endif
}

/* TP_PROTO(struct pt_regs *regs, long ret): include/trace/events/syscalls.h. Checked on 5.10, 6.1, 6.12, 6.18 and
 * 7.2. Most calls that pass here are neither, so the number is looked at first. */
int file_use_raw_tracepoint(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)ctx->args[0];
	long number = READ(regs, number), result = ctx->args[1];
	int opens = LOOKS_AT_OPENS && is_open(number), opens_narrow = LOOKS_AT_OPENS && is_32_bit_open(number);
	int maps = LOOKS_AT_MAPPINGS && number == SYSCALL_MMAP;
	int maps_narrow = LOOKS_AT_MAPPINGS && number == SYSCALL_32_MMAP;
	if (!(opens | opens_narrow | maps | maps_narrow) || CALL_FAILED(result))
		return 0;
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	int narrow = is_32_bit_call(task);
	if (narrow) {
		opens = opens_narrow;
		maps = maps_narrow;
	}
	if (!opens && !maps)
		return 0;
	struct file *file = file_of(task, opens ? result : mapped_descriptor(regs, narrow));
	if (file)
		report_use(task, file, opens ? KIND_FILE_OPENED : KIND_FILE_MAPPED);
	return 0;
}
#endif
