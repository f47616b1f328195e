// SPDX-License-Identifier: GPL-2.0-or-later
/* poolbit.c - sets a feature bit in a pool's superblocks, checksums right: a pool of the future. */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../kmod/codec.h"

#define FUTURE_BIT (1ull << 63)

/* The codec's CRC of a superblock lies over the words it does not know, too. */
static uint32_t super_crc(const struct cohort_disk_super *d, uint64_t address)
{
	const __le64 where = cpu_to_le64(address);
	const uint32_t zero = 0;
	const size_t at = offsetof(struct cohort_disk_super, crc);
	uint32_t crc = cohort_crc32c(cohort_pool_seed(d->uuid), &where, sizeof(where));

	crc = cohort_crc32c(crc, d, at);
	crc = cohort_crc32c(crc, &zero, sizeof(zero));
	return cohort_crc32c(crc, (const uint8_t *)d + at + 4, sizeof(*d) - at - 4);
}

static void change(int fd, uint64_t address, const char *word)
{
	static struct cohort_disk_super d;

	if (pread(fd, &d, sizeof(d), (off_t)address) != sizeof(d))
		err(2, "read");
	if (memcmp(d.magic, COHORT_SUPER_MAGIC, sizeof(d.magic)))
		return;
	if (!strcmp(word, "incompat"))
		d.incompat |= cpu_to_le64(FUTURE_BIT);
	else if (!strcmp(word, "ro_compat"))
		d.ro_compat |= cpu_to_le64(FUTURE_BIT);
	else
		d.compat |= cpu_to_le64(FUTURE_BIT);
	d.crc = cpu_to_le32(super_crc(&d, address));
	if (pwrite(fd, &d, sizeof(d), (off_t)address) != sizeof(d))
		err(2, "write");
}

int main(int argc, char **argv)
{
	int fd;

	if (argc != 3)
		errx(2, "usage: poolbit compat|ro_compat|incompat DEVICE");
	fd = open(argv[2], O_RDWR);
	if (fd < 0)
		err(2, "%s", argv[2]);
	change(fd, COHORT_SUPER_A, argv[1]);
	change(fd, COHORT_SUPER_B, argv[1]);
	if (fsync(fd) || close(fd))
		err(2, "%s", argv[2]);
	return 0;
}
