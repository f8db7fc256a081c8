/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#include "calls.h"

#ifdef HOOK_file_open_fentry
/* int security_file_open(struct file *file): security/security.c. Checked on 5.10, 6.1, 6.12 and 7.2. Every way to open
 * a file comes here, after the permissions were checked and before its file system opens it, which may still fail. */
KFUNC_PROBE(security_file_open, struct file *file)
{
	report_use((struct task_struct *)bpf_get_current_task(), file, KIND_FILE_OPENED);
	return 0;
}
#endif

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
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct file *file = file_of(task, ctx->result);
	if (file)
		report_use(task, file, KIND_FILE_OPENED);
	return 0;
}
#endif

#if !defined(HOOK_file_open_fentry) && defined(HAS_io_kiocb_result)
#define IO_URING_OPENAT 18 /* IORING_OP_*: include/uapi/linux/io_uring.h */
#define IO_URING_OPENAT2 28
#define FIXED_SLOT_ANY 0xffffffffU
#define FIXED_FLAGS 7ULL /* below the address of a file: io_uring/filetable.h */

/* The file in a slot of the ring's own table, which no descriptor leads to. */
static __always_inline struct file *fixed_file(struct io_ring_ctx *ring_context, u32 slot)
{
	u64 file = 0;
#if defined(HAS_io_ring_ctx_file_nodes)
	struct io_rsrc_node **nodes = (struct io_rsrc_node **)READ(ring_context, file_nodes), *node = 0;
	read_kernel(&node, sizeof(node), nodes + slot);
	file = READ(node, file_ptr);
#elif defined(HAS_io_ring_ctx_file_slots)
	read_kernel(&file, sizeof(file), (u64 *)READ(ring_context, file_slots) + slot);
#endif
	return (struct file *)(file & ~FIXED_FLAGS);
}

/* TP_PROTO(struct io_ring_ctx *ctx, void *req, …): include/trace/events/io_uring.h; the rest differs between kernels,
 * so the result is read from the request, which has it since 5.19. Checked on 6.1, 6.12, 6.18 and 7.2. Runs in a
 * thread of the process. A request that is linked to the open can close the descriptor before this. */
int file_open_io_uring(struct bpf_raw_tracepoint_args *ctx)
{
	struct io_kiocb *request = (struct io_kiocb *)ctx->args[1];
	u32 operation = READ(request, opcode);
	s32 result = READ(request, result);
	if ((operation != IO_URING_OPENAT && operation != IO_URING_OPENAT2) || result < 0)
		return 0;
	struct io_open *open = (struct io_open *)&request->command;
	u32 slot = READ(open, file_slot);
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct file *file;
	if (slot)
		file = fixed_file((struct io_ring_ctx *)ctx->args[0], slot == FIXED_SLOT_ANY ? result : slot - 1);
	else
		file = file_of(task, result);
	if (file)
		report_use(task, file, KIND_FILE_OPENED);
	return 0;
}
#endif
