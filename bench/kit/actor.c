/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does one thing many times and prints "operations nanoseconds": a loop in C, for an interpreter would
 * cost more than what is measured.
 *
 *   actor syscall COUNT                    getppid
 *   actor open COUNT FILE                  open and close one file
 *   actor map COUNT FILE                   map one file and unmap it; it is opened once
 *   actor each COUNT FOLDER SUFFIX         open and close FOLDER/0SUFFIX, FOLDER/1SUFFIX, ...
 *   actor spawn COUNT PROGRAM              fork, exec, wait
 *   actor paced-open COUNT FILE RATE       the same as `open`, RATE a second
 *   actor paced-each COUNT FOLDER SUFFIX RATE
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCHES_A_SECOND 1000

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void wait_until(long long moment)
{
	struct timespec t = {moment / 1000000000LL, moment % 1000000000LL};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0) != 0)
		;
}

static int open_or_end(const char *path)
{
	int descriptor = open(path, O_RDONLY);
	if (descriptor < 0) {
		perror(path);
		exit(1);
	}
	return descriptor;
}

static void touch(const char *path)
{
	close(open_or_end(path));
}

static void map(int descriptor)
{
	void *at = mmap(0, 1, PROT_READ, MAP_PRIVATE, descriptor, 0);
	if (at == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	munmap(at, 1);
}

static void spawn(char *program)
{
	char *arguments[] = {program, 0}, *environment[] = {0};
	pid_t child = fork();
	if (child == 0) {
		execve(program, arguments, environment);
		_exit(127);
	}
	int status;
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
		perror(program);
		exit(1);
	}
}

int main(int count, char **words)
{
	if (count < 3)
		return 2;
	const char *what = words[1];
	long operations = atol(words[2]), rate = 0;
	char path[4096];
	int paced = strncmp(what, "paced-", 6) == 0;
	if (paced) {
		what += 6;
		rate = atol(words[count - 1]) / BATCHES_A_SECOND;
	}
	char kind = what[0];
	int descriptor = kind == 'm' ? open_or_end(words[3]) : -1;
	long long begun = now();
	for (long i = 0; i < operations; i++) {
		if (paced && i % rate == 0)
			wait_until(begun + i / rate * (1000000000LL / BATCHES_A_SECOND));
		switch (kind) {
		case 's':
			if (what[1] == 'y')
				syscall(SYS_getppid);
			else
				spawn(words[3]);
			break;
		case 'o':
			touch(words[3]);
			break;
		case 'm':
			map(descriptor);
			break;
		case 'e':
			snprintf(path, sizeof(path), "%s/%ld%s", words[3], i, words[4]);
			touch(path);
			break;
		default:
			return 2;
		}
	}
	printf("%ld %lld\n", operations, now() - begun);
	return 0;
}
