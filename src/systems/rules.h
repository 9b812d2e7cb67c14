/* What several systems' derive rules share: refusing a field, the order of dates, what an identity number says about a person, fever by
 * the protocol; and the few code lists that more than one kind uses.
 *
 * A rule that is broken goes into `errs` and the function still returns 0, so that a form shows all of them at once; -1 and *e are for
 * the database. */
#ifndef RULES_H
#define RULES_H

#include "core/command.h"

#define CODE_LIST(var, ...)                                                                                            \
    static const struct code var##_values[] = {__VA_ARGS__, {NULL, {NULL, NULL}}};                                     \
    static const struct code_list var = {#var, var##_values}

extern const struct code_list gender_codes, yes_no_codes;

#define rule_refuse(errs, field, ...) ((void)err_set(errs_next(errs), ERR_INVALID, (field), __VA_ARGS__))

/* Refuses `later` when both are filled and its day lies before that of `earlier`. */
void rule_order(const struct tx *tx, const struct record *r, struct errs *errs, const char *earlier, const char *later);
/* Refuses `field` when it is filled and `needed` is not. */
void rule_needs(const struct tx *tx, const struct record *r, struct errs *errs, const char *field, const char *needed);
/* since not after until, in kinds that have both */
void rule_period(const struct tx *tx, const struct record *r, struct errs *errs);
/* Fills birth_date and gender (where the kind has them) from id_number; refuses what contradicts it. */
int rule_identity(struct tx *tx, struct record *r, struct errs *errs, struct err *e);
/* Fills `febrile` from `temperature` by the threshold in force on the day of seen_at. */
int rule_febrile(struct tx *tx, struct record *r, struct err *e);
/* data.KEY of a command, as that field of the kind would take it; V_NULL when absent. */
int rule_input(struct tx *tx, const struct command_call *call, const struct kind *k, const char *key, const char *field, struct val *ret, struct err *e);

/* derive functions for kinds that need nothing else */
int derive_period(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e);
int derive_person(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e); /* identity and period */

#endif
