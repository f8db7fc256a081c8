/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What a file is, in numbers that mean the same wherever it is seen, and the walk from a file to its path.
 */
#pragma once
#include "common.h"

#define DEVICE_MINOR_BITS 20
#define NANOSECONDS_MASK 0x3fffffff /* since 6.13 a flag shares the word (fs: multigrain timestamps) */
#define SECOND_NS 1000000000ULL

struct file_facts {
	u64 device; /* of the superblock; stat shows another on btrfs and overlayfs */
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
