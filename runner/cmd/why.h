/* Why parts of a change are not well, for show. */
#ifndef HOSHU_CMD_WHY_H
#define HOSHU_CMD_WHY_H

#include "cmd/context.h"

/* By part: what its last record that says why says, in the person's language;
 * NULL where it is well. In the context's arena. */
int cmd_why(
    struct context *context, const char ***why, struct err *err) MUST_USE;
/* What a part came to, in words; a host that is back says whether that was
 * proved of something, or nothing was changed. To be translated. */
const char *cmd_part_word(
    const struct change_fold *fold, const struct part_fold *part);

#endif
