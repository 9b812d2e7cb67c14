/* What tx.c needs of tx_log.c: the rows that a transaction adds to append-only kinds. */
#ifndef TX_LOG_H
#define TX_LOG_H

#include "core/tx.h"

int tx_log_prepare(struct tx *tx, const struct record *r, struct err *e); /* before the row is sealed and stored */
void tx_log_stored(struct tx *tx, const struct record *r);
int tx_log_close(struct tx *tx, struct err *e); /* writes what belongs to all rows together */
void tx_log_clear(struct tx *tx);
void tx_log_mark(struct tx *tx); /* as tx_mark and tx_undo */
void tx_log_undo(struct tx *tx);

#endif
