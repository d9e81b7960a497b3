/* SPDX-License-Identifier: ISC */
/*
 * Records as they come from the other side: the check must read no further
 * than it may, and what it takes for an answer must encode to a reply that
 * decodes again.  The input is a stream of records, each behind its length.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vfiobroker.pb-c.h"

#include "../../broker/common/monmsg.h"
#include "../../broker/session/encode.h"
#include "../../broker/session/texts.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static uint8_t out[PROTO_MESSAGE_MAX];

static void
must(int ok)
{
	if (!ok)
		abort();
}

static void
decode_again(size_t len)
{
	Vfiobroker__Reply *reply;

	must(len > 0 && len <= sizeof(out));
	reply = vfiobroker__reply__unpack(NULL, len, out);
	must(reply != NULL);
	vfiobroker__reply__free_unpacked(reply, NULL);
}

static void
take_text(struct texts *t, const struct mon_text *m)
{
	must(texts_add(t, m));
	if (texts_room(t))
		return;
	decode_again(encode_texts(1, t, out));
	texts_clear(t);
}

static void
take_answer(struct texts *t, const void *record)
{
	const struct mon_header *h = record;
	const struct mon_end *end = record;

	switch (h->type) {
	case MON_WELCOME:
		decode_again(encode_welcome(1, record, out));
		break;
	case MON_TEXT:
		take_text(t, record);
		break;
	case MON_END:
		decode_again(encode_end(1, (enum status)end->status, t, out));
		texts_clear(t);
		break;
	default:
		decode_again(encode_item(1, record, out));
	}
}

static void
take_record(struct texts *t, const uint8_t *data, size_t len)
{
	/* A block of just that size, aligned, for the sanitizer to guard. */
	void *record = malloc(len + (len == 0));
	const struct mon_header *h = record;
	int request, answer;

	must(record != NULL);
	memcpy(record, data, len);
	request = monmsg_check_request(record, len);
	answer = monmsg_check_answer(record, len);
	must(!request || !answer);
	if (request || answer)
		must(monmsg_size(h->type) == len && len <= MON_MAX_SIZE);
	if (answer)
		take_answer(t, record);
	free(record);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct texts t;

	texts_clear(&t);
	while (size >= 2) {
		size_t len = (size_t)data[0] | (size_t)data[1] << 8;

		data += 2;
		size -= 2;
		if (len > size)
			len = size;
		take_record(&t, data, len);
		data += len;
		size -= len;
	}
	return 0;
}
