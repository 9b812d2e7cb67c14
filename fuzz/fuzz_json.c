/* What is read is written and read again as the same tree, and written again as the same bytes. */
#include <math.h>

#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_scalar(const struct json *a, const struct json *b) {
    INVARIANT(a->type == b->type && a->count == b->count && str_eq(a->text, b->text) && str_eq(a->key, b->key));
    int64_t whole;
    double real;
    if (json_int(a, &whole)) {
        INVARIANT(json_real(a, &real));
        INVARIANT(fabs(real - (double)whole) <= fabs(real) * 1e-15);
    }
    if (json_real(a, &real)) {
        struct buf b2 CLEANUP(buf_release) = BUF(64);
        struct json_out o = JSON_OUT(&b2);
        double back;
        json_dbl(&o, real);
        INVARIANT(!b2.failed && str_to_real(buf_str(&b2), -INFINITY, INFINITY, &back) ? back == real
                                                                                      : fabs(real) < 1e-300);
    }
}

static void check_same(const struct json *a, const struct json *b) {
    struct {
        const struct json *a, *b;
    } stack[JSON_DEPTH_MAX];
    size_t depth = 0;
    for (;;) {
        check_scalar(a, b);
        if (a->first) {
            INVARIANT(depth < COUNT(stack));
            stack[depth].a = a->next;
            stack[depth++].b = b->next;
            a = a->first;
            b = b->first;
        } else {
            a = a->next;
            b = b->next;
        }
        while (!a && depth) {
            INVARIANT(!b);
            a = stack[--depth].a;
            b = stack[depth].b;
        }
        INVARIANT(!a == !b);
        if (!a) return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena a CLEANUP(arena_release) = {0};
    struct buf first CLEANUP(buf_release) = BUF(8 * size + 64), second CLEANUP(buf_release) = BUF(8 * size + 64);
    struct json *one = NULL, *two = NULL;
    struct err e = {0};
    if (json_parse(&a, (struct str){(const char *)data, size}, NULL, &one, &e) != 0) {
        INVARIANT(e.code == ERR_BAD_REQUEST && e.msg != M_NONE && !one);
        return 0;
    }
    struct json_out o = JSON_OUT(&first), o2 = JSON_OUT(&second);
    json_value(&o, one);
    INVARIANT(!first.failed && json_parse(&a, buf_str(&first), NULL, &two, &e) == 0);
    check_same(one, two);
    json_value(&o2, two);
    INVARIANT(str_eq(buf_str(&first), buf_str(&second)));
    struct buf quoted CLEANUP(buf_release) = BUF(8 * size + 64);
    struct json_out o3 = JSON_OUT(&quoted);
    json_str(&o3, (struct str){(const char *)data, size});
    if (!memchr(data, 0, size))
        INVARIANT(json_parse(&a, buf_str(&quoted), NULL, &two, &e) == 0 && two->type == JSON_STRING);
    return 0;
}
