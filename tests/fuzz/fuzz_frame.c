/* What a host says in answer to a request: however it is cut into pieces, it
 * is read as the same thing; and a status is one line of a shell's. */
#include "fuzz.h"
#include "remote/frame.h"

#define NONCE "0123456789abcdef0123456789abcdef"

/* piece: 0 = whole, otherwise drawn from it */
static size_t
feed(struct frame *frame, bool opens, uint32_t piece, const char *data,
    size_t size)
{
	size_t at = 0, len, took;

	frame_start(frame, NONCE, opens);
	while (at < size) {
		len = piece == 0 ? size : 1 + piece % 7;
		piece = piece * 1103515245u + 12345u;
		if (piece == 0)
			piece = 1;
		if (len > size - at)
			len = size - at;
		took = frame_feed(frame, data + at, len);
		fuzz_check(took <= len);
		at += took;
		if (took < len) {
			fuzz_check(frame->state == FRAME_ENDED ||
				   frame->state == FRAME_BAD);
			break;
		}
		if (frame->state == FRAME_ENDED || frame->state == FRAME_BAD)
			break;
	}
	return at;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	bool opens = fuzz_take(&in, 1) % 2 == 0;
	uint32_t piece = fuzz_take(&in, 2) | 1u << 16;
	size_t len = in.size, whole_end, pieces_end;
	char *text = fuzz_piece(&in, &len);
	struct frame whole, pieces;

	whole_end = feed(&whole, opens, 0, text, len);
	pieces_end = feed(&pieces, opens, piece, text, len);
	fuzz_check(whole.state == pieces.state && whole_end == pieces_end);
	fuzz_check(whole.size == pieces.size);
	fuzz_check(bytes_equal(frame_tail(&whole), frame_tail(&pieces)));
	fuzz_check(whole.status_len == pieces.status_len &&
		   strcmp(whole.status, pieces.status) == 0);
	for (size_t i = 0; i < whole.status_len; i++)
		fuzz_check(whole.status[i] >= ' ' && whole.status[i] <= '~');
	frame_free(&whole);
	frame_free(&pieces);
	free(text);
	return 0;
}
