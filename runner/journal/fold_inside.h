/* What the files of the fold share with each other and nobody else. */
#ifndef HOSHU_JOURNAL_FOLD_INSIDE_H
#define HOSHU_JOURNAL_FOLD_INSIDE_H

#include "base/json.h"
#include "journal/fold.h"

/* fold_part.c: the part is so from now on; counts it. */
void fold_part_set(
    struct change_fold *fold, struct part_fold *part, enum host_state state);
/* Where nothing has moved yet. */
void fold_part_start(struct change_fold *fold, const struct fold_shape *shape);

/* fold_step.c: a record about a step of this part. */
int fold_step(struct change_fold *fold, struct part_fold *part,
    const struct record *record, const struct json *body,
    struct err *err) MUST_USE;
/* fold_control.c: a kind that is said beside a run and is no approval. */
int fold_control(struct change_fold *fold, const struct record *record,
    const struct json *body, struct err *err) MUST_USE;
/* The part that a record of a host is about: by its step's phase, or by the
 * wave; the host's first where neither tells, NULL where it has none. */
struct part_fold *fold_part(const struct change_fold *fold,
    const struct host_fold *host, const struct record *record);
/* fold_ask.c */
void fold_asked(struct change_fold *fold, const struct record *record,
    const struct json *body);
void fold_unanswered(struct change_fold *fold, const struct record *record);
void fold_answered(struct change_fold *fold, const struct record *record,
    const struct json *body);
/* A run begins: what nobody answered in time is asked again; where it tries
 * the hosts left over, what was answered with no, too. */
void fold_asks_run(
    struct change_fold *fold, const struct record *record, bool anew);
/* fold_back.c: a run begins; way "" = it goes on as it was. */
void fold_run_started(struct change_fold *fold, const struct record *record,
    const struct json *body);
/* A part's way back begins, perhaps another time. */
void fold_part_back(struct change_fold *fold, struct part_fold *part);
/* And ends without its proof. */
void fold_part_stuck(struct change_fold *fold, struct part_fold *part,
    const struct record *record, const struct json *body);
/* text (NULL = "") into out, cut to size. */
void fold_copy(char *out, size_t size, const char *text);

#endif
