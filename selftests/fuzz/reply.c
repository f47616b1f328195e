// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: what the library reads of the kernel's replies and events. */
#include <linux/netlink.h>

#include "../../libctl/private.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diff_page page = { 0 };
	struct cohort_reply *reply;
	struct nlattr *attrs;
	unsigned int kind;
	bool complete;
	void *list;

	if (size < 2)
		return 0;
	attrs = malloc(size + 1);
	memcpy(attrs, data + 2, size - 2);
	kind = object_kind_of(data[0]);
	if ((int)kind >= 0) {
		list = object_parse(kind, attrs, size - 2, &complete);
		if (list)
			object_free(kind, list);
	}
	diff_page_parse(attrs, size - 2, &page);
	free(page.extents);
	reply = calloc(1, sizeof(*reply));
	reply_parse(data[1], attrs, size - 2, reply);
	cohort_reply_free(reply);
	free(attrs);
	return 0;
}
