/* What the program makes of a scan: fever, the check of the pass or of the person, and the verdict where the guard gave none. */
#ifndef SCAN_H
#define SCAN_H

#include "core/tx.h"

#define SCAN_ELSEWHERE (2 * 60 * US_PER_SECOND) /* a pass that was used at another gate so shortly before is worth a look at its holder */

/* gate_scan's derive and foresee. */
int scan_derive(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e);
int scan_foresee(struct tx *tx, const struct val *values, struct err *e);

#endif
