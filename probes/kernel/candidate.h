/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Which files matter by their name or size: the same question as candidate.py answers.
 */
#pragma once
#include "path.h"

#define SHA256_PREFIX 0x2d363532616873ULL /* `sha256-`, little-endian as every kernel that we know */

/* Suffixes that models have, in lower case and without the dot; the value is a SUFFIX_*. */
struct suffix {
	char text[SUFFIX_BYTES];
};
BPF_HASH(suffixes, struct suffix, u32, 256);

/* Names that a policy names, whatever folder they are in. */
BPF_HASH(names, struct name_key, u32, 1024);

/* How the names of libraries begin that do machine learning: their first eight bytes. */
BPF_HASH(libraries, u64, u32, 1024);

/* Eight characters at a time, without a branch: a branch for each would be more ways through the program than
 * the verifier follows. In a byte below 0x80, adding (0x80 - n) carries into the top bit exactly when it is >= n. */
#define EACH_BYTE 0x0101010101010101ULL
#define TOP_BITS (0x80 * EACH_BYTE)
#define AT_LEAST(bytes, n) ((bytes) + (0x80 - (n)) * EACH_BYTE)

/* A name of a content-addressed store: 40 or 64 hexadecimal digits, or `sha256-` and 64. */
static __always_inline int is_content_addressed(u8 *name, u64 length)
{
	u64 start = length == 71 ? 7 : 0, words = length == 40 ? 5 : 8, all = TOP_BITS;

	if (length != 40 && length != 64 && (length != 71 || (*(u64 *)name & ~(0xffULL << 56)) != SHA256_PREFIX))
		return 0;
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < 8; i++) {
		u64 eight = *(u64 *)(name + (start & 7) + 8 * i);
		u64 lower = eight | 0x20 * EACH_BYTE;
		u64 digits = AT_LEAST(eight, '0') & ~AT_LEAST(eight, '9' + 1);
		u64 letters = AT_LEAST(lower, 'a') & ~AT_LEAST(lower, 'f' + 1);
		all &= ((digits | letters) & ~eight) | -(u64)(i >= words);
	}
	return (all & TOP_BITS) == TOP_BITS;
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
	slot->suffix[0] = 0;
	slot->suffix[1] = 0;
#pragma clang loop unroll(disable)
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
#pragma clang loop unroll(disable)
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

/* Whether a shared library is one that does machine learning: `libonnxruntime.so`, `libonnxruntime.so.1.20.0`. */
static __always_inline int is_library(struct scratch *slot, u8 *name, u32 suffix)
{
	u8 first = *(volatile u8 *)&slot->suffix;
	u64 head = *(u64 *)name;
	if (suffix != SUFFIX_LIBRARY && (first < '0' || first > '9'))
		return 0;
	return libraries.lookup(&head) != 0;
}

/* Whether a policy names the file. */
static __always_inline int is_named(struct scratch *slot, u8 *name)
{
	u64 length = *(volatile u64 *)&slot->name_length;
	u64 head = *(u64 *)name, tail;

	if (length >= 8) {
		tail = *(u64 *)(name + ((length - 8) & (NAME_MAX_BYTES - 1)));
	} else {
		head &= (1ULL << 8 * (length & 7)) - 1; /* what stands behind the NUL is of another name */
		tail = head;
	}
	struct name_key key = {.head = head, .tail = tail, .length = length};
	return names.lookup(&key) != 0;
}

/* Reads the last component of a path to where `candidate` looks at it; its length, negative when it has none. */
static __always_inline long read_name(struct scratch *slot, u8 *name, struct dentry *dentry)
{
	long length = read_kernel_str(name, NAME_MAX_BYTES, READ(dentry, d_name)) - 1;
	slot->name_length = length;
	return length;
}

/* Why a file matters by itself, CANDIDATE_* bits of candidate.py; 0 when it does not. */
static __always_inline u32 candidate(struct scratch *slot, u8 *name, u64 size, u64 large_bytes)
{
	u32 reasons = 0, suffix = suffix_of(slot, name);
	if (suffix == SUFFIX_STRONG)
		reasons |= CANDIDATE_STRONG_SUFFIX;
	else if (suffix == SUFFIX_WEAK && size >= WEAK_MIN_BYTES)
		reasons |= CANDIDATE_WEAK_SUFFIX;
	else if (is_library(slot, name, suffix))
		reasons |= CANDIDATE_LIBRARY;
	if (is_content_addressed(name, *(volatile u64 *)&slot->name_length))
		reasons |= CANDIDATE_CONTENT_ADDRESSED;
	if (size >= large_bytes)
		reasons |= CANDIDATE_LARGE;
	return reasons;
}
