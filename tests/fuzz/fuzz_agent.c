/* What an ssh-agent answers, and what a worker wants signed: only a login of
 * that user, with that key, is ever signed. */
#include "fuzz.h"
#include "openssh/wire.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	uint32_t which = fuzz_take(&in, 1) % 4;
	size_t len = in.size;
	char *piece = fuzz_piece(&in, &len);
	struct bytes bytes = {piece, len}, signature, key;
	struct arena *arena = arena_new();
	struct wire_request request;
	struct wire_key *keys = NULL;
	struct buf blob = BUF_INIT;
	struct err err = ERR_INIT;
	size_t count = 0;

	switch (which) {
	case 0:
		if (wire_get_list(arena, bytes, &keys, &count, &err) == 0)
			for (size_t i = 0; i < count; i++)
				fuzz_check(
				    wire_key_blob(keys[i].text, &blob) == 0);
		break;
	case 1:
		if (wire_get_signature(
			bytes, "rsa-sha2-512", &signature, &err) == 0)
			fuzz_check(
			    (const char *)signature.data >= piece &&
			    (const char *)signature.data + signature.len <=
				piece + len);
		break;
	case 2:
		/* the key is the payload's last piece: what it would be */
		key.len = len > 51 ? 51 : len;
		key.data = piece + len - key.len;
		if (wire_check_payload(bytes, "ops", key, &request, &err) == 0)
			fuzz_check(request.algorithm[0] != '\0');
		else
			fuzz_check(err.text[0] != '\0');
		break;
	case 3:
		buf_put(&blob, piece, len);
		(void)wire_message_len(&blob);
		break;
	}
	buf_free(&blob);
	arena_free(arena);
	free(piece);
	return 0;
}
