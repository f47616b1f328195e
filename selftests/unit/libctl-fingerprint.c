// SPDX-License-Identifier: GPL-2.0-or-later
/* The fingerprint sees what it promises to see, is the same twice, and fits any size. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../libctl/private.h"
#include "unit.h"

#define MIB (1ull << 20)

typedef uint8_t print[COHORT_FINGERPRINT_LEN];

static int file_of(uint64_t size)
{
	const int fd = memfd_create("fingerprint", MFD_CLOEXEC);

	CHECK(fd >= 0 && !ftruncate(fd, (off_t)size), "file of %llu bytes",
	      (unsigned long long)size);
	return fd;
}

static void fingerprint(int fd, uint64_t size, print p)
{
	CHECK_INT(fingerprint_compute(fd, size, p), 0, "fingerprint");
}

/* Flips one byte, says whether the fingerprint saw it, and flips it back. */
static bool sees(int fd, uint64_t size, uint64_t offset)
{
	print before, after, again;
	uint8_t byte = 0;

	fingerprint(fd, size, before);
	CHECK(pread(fd, &byte, 1, (off_t)offset) == 1, "read");
	byte ^= 1;
	CHECK(pwrite(fd, &byte, 1, (off_t)offset) == 1, "write");
	fingerprint(fd, size, after);
	byte ^= 1;
	CHECK(pwrite(fd, &byte, 1, (off_t)offset) == 1, "write back");
	fingerprint(fd, size, again);
	CHECK(!memcmp(before, again, sizeof(print)), "undone at %llu", (unsigned long long)offset);
	return memcmp(before, after, sizeof(print));
}

static void superblocks_are_seen(void)
{
	static const struct {
		const char *of;
		uint64_t offset;
	} places[] = {
		{ "mbr", 446 }, { "gpt", 512 }, { "lvm label", 512 }, { "xfs", 0 },
		{ "ext4", 1024 }, { "luks", 0 }, { "swap", 4086 }, { "md 1.2", 4096 },
		{ "lvm metadata", 9000 }, { "luks2 json", 16384 }, { "iso9660", 32769 },
		{ "btrfs", 65536 + 0x40 }, { "end of the first MiB", MIB - 1 },
		{ "partition at 1 MiB, ext4", 2 * MIB }, { "btrfs copy", 64 * MIB + 72 },
		{ "ext4 copy", 128 * MIB }, { "ext4 copy, 1 KiB blocks", 8193 * 1024 },
		{ "gpt at the end", 200 * MIB - 512 }, { "md 1.0", 200 * MIB - 8192 },
		{ "md 0.90", 200 * MIB - 65536 },
	};
	const uint64_t size = 200 * MIB;
	const int fd = file_of(size);

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		CHECK(sees(fd, size, places[i].offset), "%s", places[i].of);
	close(fd);
}

/* 256 blocks of 2048: one write in the middle may be missed, a stretch may not. */
static void a_stretch_in_the_middle_is_seen(void)
{
	const uint64_t size = 8 * MIB;
	const int fd = file_of(size);
	print before, after;
	char junk[65536];

	memset(junk, 0x5a, sizeof(junk));
	fingerprint(fd, size, before);
	for (uint64_t at = 3 * MIB; at < 5 * MIB; at += sizeof(junk))
		CHECK(pwrite(fd, junk, sizeof(junk), (off_t)at) == sizeof(junk), "write");
	fingerprint(fd, size, after);
	CHECK(memcmp(before, after, sizeof(print)), "2 MiB of junk");
	close(fd);
}

/* What the documentation says can not be seen; if it is, the sampling has changed. */
static void single_blocks_are_a_matter_of_chance(void)
{
	const uint64_t size = 64 * MIB;
	const int fd = file_of(size);
	unsigned int seen = 0;

	for (unsigned int i = 0; i < 150; i++)
		seen += sees(fd, size, 4 * MIB + i * 98304);
	CHECK(seen > 0 && seen < 20, "%u of 150 single blocks were seen", seen);
	close(fd);
}

static void any_size(void)
{
	static const uint64_t sizes[] = {
		512, 4096, 65536, 65536 + 512, MIB - 512, MIB, MIB + 512, MIB + 65536 + 512,
		5 * MIB - 512,
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		const int fd = file_of(sizes[i]);

		CHECK(sees(fd, sizes[i], sizes[i] - 1), "last byte of %llu",
		      (unsigned long long)sizes[i]);
		CHECK(sees(fd, sizes[i], 0), "first byte of %llu", (unsigned long long)sizes[i]);
		close(fd);
	}
}

static void the_size_counts(void)
{
	const int fd = file_of(16 * MIB);
	print a, b;

	for (uint64_t at = 0; at < 16 * MIB; at += MIB)
		CHECK(pwrite(fd, &at, sizeof(at), (off_t)at) == sizeof(at), "write");
	fingerprint(fd, 16 * MIB, a);
	fingerprint(fd, 12 * MIB, b);
	CHECK(memcmp(a, b, sizeof(print)), "another size, another tail");
	close(fd);
}

static void an_unreadable_disk_is_an_error(void)
{
	const int fd = file_of(MIB);
	print p;

	CHECK_INT(fingerprint_compute(fd, 4 * MIB, p), -EIO, "file shorter than said");
	close(fd);
	CHECK(fingerprint_compute(-1, MIB, p) < 0, "no file");
}

static const struct unit_case cases[] = {
	{ "superblocks_are_seen", superblocks_are_seen },
	{ "a_stretch_in_the_middle_is_seen", a_stretch_in_the_middle_is_seen },
	{ "single_blocks_are_a_matter_of_chance", single_blocks_are_a_matter_of_chance },
	{ "any_size", any_size },
	{ "the_size_counts", the_size_counts },
	{ "an_unreadable_disk_is_an_error", an_unreadable_disk_is_an_error },
};

int main(void)
{
	return unit_main(cases, ARRAY_SIZE(cases));
}
