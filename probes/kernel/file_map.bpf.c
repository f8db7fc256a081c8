/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#include "calls.h"

#ifdef HOOK_file_map_fentry
/* int security_mmap_file(struct file *file, unsigned long prot, unsigned long flags): security/security.c. Checked on
 * 5.10, 6.1, 6.12 and 7.2. */
KFUNC_PROBE(security_mmap_file, struct file *file)
{
	if (file)
		report_use((struct task_struct *)bpf_get_current_task(), file, KIND_FILE_MAPPED);
	return 0;
}
#endif
