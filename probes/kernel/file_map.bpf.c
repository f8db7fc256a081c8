/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#include "use.h"

#ifdef HOOK_file_map_fentry
/* int security_mmap_file(struct file *file, unsigned long prot, unsigned long flags): security/security.c. Checked on
 * 5.10, 6.1, 6.12 and 7.2. */
int kfunc__vmlinux__security_mmap_file(u64 *ctx)
{
	struct file *file = (struct file *)ctx[0];
	if (file)
		report_use((struct task_struct *)bpf_get_current_task(), file, KIND_FILE_MAPPED, 1);
	return 0;
}
#endif

#ifdef HOOK_file_map_raw_tracepoint
#define MAPPING_FAILED(result) ((u64)(result) > -4096ULL) /* an error number: include/linux/err.h */

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
 * 7.2. Every system call of the machine passes here, so the number is looked at first. */
int file_map_raw_tracepoint(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)ctx->args[0];
	long number = READ(regs, number);
	if ((number != SYSCALL_MMAP && number != SYSCALL_32_MMAP) || MAPPING_FAILED(ctx->args[1]))
		return 0;
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	int narrow = is_32_bit_call(task);
	if (number != (narrow ? SYSCALL_32_MMAP : SYSCALL_MMAP))
		return 0;
	struct file *file = file_of(task, mapped_descriptor(regs, narrow));
	if (file)
		report_use(task, file, KIND_FILE_MAPPED, 1);
	return 0;
}
#endif
