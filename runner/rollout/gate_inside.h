/* What the gate's two files share: the way there (gate.c), and back. */
#ifndef HOSHU_ROLLOUT_GATE_INSIDE_H
#define HOSHU_ROLLOUT_GATE_INSIDE_H

#include "rollout/gate.h"

/* ---- gate.c ---- */
bool gate_is_failed(const struct part_fold *part);
int gate_wave_now(const struct change *change, const struct change_fold *fold);
/* What stands in the way of this part: those in flight (active), or all that
 * hold a place. */
bool gate_spread_allows(const struct change *change,
    const struct change_fold *fold, int part, bool active);
/* Parts of a wave that are being touched. On the way back only these count:
 * hosts that stand failed must not keep the others from going back. */
int gate_busy(const struct change_fold *fold, int wave);
/* How far back the failures that stand call for. */
enum back_scope gate_scope(
    const struct change *change, const struct change_fold *fold);

/* ---- gate_back.c ---- */
/* The change, or some of its hosts, goes back. */
void gate_back(const struct change *change, const struct change_fold *fold,
    struct gate *gate);
/* Does this part stand well while a later phase of its host failed and went
 * back? Then the host as a whole is not yet what it was. */
bool gate_is_half_back(
    const struct change *change, const struct part_fold *part);

#endif
