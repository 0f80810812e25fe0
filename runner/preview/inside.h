/* What the files that show a preview share. */
#ifndef HOSHU_PREVIEW_INSIDE_H
#define HOSHU_PREVIEW_INSIDE_H

#include "preview/preview.h"

struct render {
	FILE *out;
	const struct change *change;
	struct err *err;
	const char *name; /* of the host shown, where it stands for a group of
			     which each has its own name in it; or NULL */
};

/* ---- render_head.c ---- */
void render_head(struct render *render);
/* At how many hosts that are not back the way back pauses. */
int render_back_limit(const struct change *change);

#endif
