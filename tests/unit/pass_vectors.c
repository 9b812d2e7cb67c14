/* tests/vectors/pass.json is written by this file: PASS_VECTORS=write build/asan/unit-pass vectors_are.  Every text in it is made here with
 * the verdict it must get. */
#include <zlib.h>

#include "base/day.h"
#include "json/json.h"
#include "pass_help.h"

#define VECTORS "tests/vectors/pass.json"

struct writer {
    struct county c;
    struct json_out out;
    struct str payload, token, text; /* of a good pass; the others are made from it */
};

static void begin_section(struct writer *w, const char *key) {
    buf_addc(w->out.to, '\n');
    json_key(&w->out, key);
    json_array(&w->out);
}

static void begin_entry(struct writer *w) {
    if (w->out.comma) buf_addc(w->out.to, ',');
    w->out.comma = false;
    buf_addz(w->out.to, "\n  ");
    json_object(&w->out);
}

static void put_hex(struct writer *w, const char *key, struct str bytes) {
    json_put_str(&w->out, key, hex_of(&w->c.a, bytes));
}

static void put_id(struct writer *w, struct id id) {
    char text[ID_TEXT];
    json_put_strz(&w->out, "id", id_text(id, text));
}

/* ---- the gate ---- */
static void write_gate(struct writer *w) {
    struct buf keys CLEANUP(buf_release) = BUF(1 << 12);
    pass_keys_json(w->c.set, KEYS, &keys);
    begin_section(w, "seeds");
    for (int i = 0; i < KEYS_ALL; i++) json_str(&w->out, hex_of(&w->c.a, (struct str){(char *)w->c.keys[i].seed, 32}));
    json_array_end(&w->out);
    buf_addc(w->out.to, '\n');
    json_key(&w->out, "key_set");
    json_raw(&w->out, buf_str(&keys));
    json_put_int(&w->out, "now", NOW / US_PER_SECOND);
    begin_section(w, "chain");
    for (size_t i = 0; i < w->c.gate.chain_n; i++) json_str(&w->out, w->c.chain[i]);
    json_array_end(&w->out);
    begin_section(w, "gate_lists");
    for (int i = 0; i < LISTS; i++) json_str(&w->out, hex_of(&w->c.a, file_of(&w->c, KEY_NOW, &w->c.full[i])));
    json_array_end(&w->out);
}

/* ---- what is issued ---- */
static void write_claims(struct writer *w, const struct pass_claims *p) {
    json_key(&w->out, "claims");
    json_object(&w->out);
    put_id(w, p->id);
    json_put_str(&w->out, "iss", p->issuer);
    json_put_int(&w->out, "nbf", p->from_at / US_PER_SECOND);
    json_put_int(&w->out, "exp", p->expires_at / US_PER_SECOND);
    json_put_int(&w->out, "iat", p->issued_at / US_PER_SECOND);
    json_put_int(&w->out, "kind", p->kind);
    json_key(&w->out, "areas");
    json_array(&w->out);
    for (size_t i = 0; i < p->areas_n; i++) json_str(&w->out, p->areas[i]);
    json_array_end(&w->out);
    json_put_int(&w->out, "outings", p->outings);
    json_put_int(&w->out, "days", p->days);
    json_object_end(&w->out);
}

static void write_issued(struct writer *w, int key, const struct pass_claims *p) {
    char number[PASS_NUMBER];
    begin_entry(w);
    json_put_int(&w->out, "key", key);
    write_claims(w, p);
    put_hex(w, "payload", payload_of(&w->c, p));
    put_hex(w, "cose", token_of(&w->c, key, payload_of(&w->c, p)));
    json_put_str(&w->out, "text", text_of(&w->c, key, p));
    json_put_strz(&w->out, "number", pass_number(p->id, number));
    json_object_end(&w->out);
}

static void write_all_issued(struct writer *w) {
    begin_section(w, "issue");
    struct pass_claims p = claims_of(1);
    write_issued(w, KEY_NOW, &p);
    p = claims_of(2);
    p.kind = PASS_VEHICLE, p.outings = p.days = 0, p.areas[0] = STR("jx"), p.areas[p.areas_n++] = STR("吉县东关");
    write_issued(w, KEY_NOW, &p);
    p = claims_of(3);
    p.kind = PASS_PERSON, p.outings = 24, p.days = PASS_DAYS_MAX, p.from_at = 0;
    write_issued(w, KEY_NOW, &p);
    p = claims_of(4);
    p.kind = PASS_VISITOR, p.issued_at = p.from_at = NOW + SECONDS(6480000), p.expires_at = PASS_TIME_END - 1;
    write_issued(w, KEY_NEXT, &p);
    p = claims_of(5);
    p.issuer = STR("qc"), p.outings = PASS_OUTINGS_MAX;
    for (p.areas_n = 0; p.areas_n < PASS_AREAS_MAX; p.areas_n++) p.areas[p.areas_n] = str_z(arena_printf(&w->c.a, "qc.t%02zu", p.areas_n));
    write_issued(w, KEY_NEIGHBOUR, &p);
    json_array_end(&w->out);
}

/* ---- texts and their verdicts ---- */
static void write_text(struct writer *w, const char *name, const char *verdict, struct str text) {
    if (strcmp(verdict_of(&w->c, text), verdict) != 0) unit_fail(__FILE__, __LINE__, "%s is %s, not %s", name, verdict_of(&w->c, text), verdict);
    begin_entry(w);
    json_put_strz(&w->out, "name", name);
    json_put_strz(&w->out, "verdict", verdict);
    json_put_str(&w->out, "text", text);
    json_object_end(&w->out);
}

static struct pass_claims changed(void (*change)(struct pass_claims *)) {
    struct pass_claims p = claims_of(1);
    change(&p);
    return p;
}

#define CHANGE(name, what)                                                                                             \
    static void name(struct pass_claims *p) {                                                                          \
        what;                                                                                                          \
    }
CHANGE(nothing, (void)p)
CHANGE(revoked, p->id = pass_id(150))
CHANGE(stay_home, p->id = pass_id(299))
CHANGE(both_ends, p->id = pass_id(99))
CHANGE(ended_now, p->expires_at = NOW)
CHANGE(ends_next, p->expires_at = NOW + US_PER_SECOND)
CHANGE(begins_now, p->from_at = NOW)
CHANGE(begins_next, p->from_at = NOW + US_PER_SECOND)
CHANGE(elsewhere, p->areas[0] = STR("jx.t02"))
CHANGE(below, p->areas[0] = STR("jx.t01.c02.b1"))
CHANGE(prefix, p->areas[0] = STR("jx.t0"))
CHANGE(above, p->areas[0] = STR("jx"))
CHANGE(second, (p->areas[0] = STR("jx.t02"), p->areas[p->areas_n++] = STR("jx.t01")))
CHANGE(home_and_expired, (p->id = pass_id(200), p->expires_at = NOW))
CHANGE(revoked_elsewhere, (p->id = pass_id(100), p->areas[0] = STR("jx.t02")))
CHANGE(expired_elsewhere, (p->expires_at = NOW - US_PER_SECOND, p->areas[0] = STR("jx.t02")))
CHANGE(before_key, p->issued_at = NOW - SECONDS(1209601))
CHANGE(key_begins, p->issued_at = NOW - SECONDS(1209600))
CHANGE(after_key, p->issued_at = NOW + SECONDS(6480000))
CHANGE(other_issuer, p->issuer = STR("qc"))
CHANGE(kind_0, p->kind = 0)
CHANGE(kind_5, p->kind = PASS_KIND__END)
CHANGE(no_area, p->areas_n = 0)
CHANGE(area_twice, p->areas[p->areas_n++] = p->areas[0])
CHANGE(area_empty, p->areas[0] = STR(""))
CHANGE(area_control, p->areas[0] = STR("jx.t01\n"))
CHANGE(area_delete, p->areas[0] = STR("jx\x7f"))
CHANGE(area_not_utf8, p->areas[0] = STR("jx\xff"))
CHANGE(area_surrogate, p->areas[0] = STR("\xed\xa0\x80"))
CHANGE(area_long, p->areas[0] = STR("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklm"))
CHANGE(issuer_empty, p->issuer = STR(""))
CHANGE(never, p->expires_at = p->from_at)
CHANGE(year_10000, p->expires_at = PASS_TIME_END)
CHANGE(outings_1001, p->outings = PASS_OUTINGS_MAX + 1)
CHANGE(days_0, p->days = 0)
CHANGE(days_367, p->days = PASS_DAYS_MAX + 1)

static void write_claim_verdicts(struct writer *w) {
    static const struct {
        const char *name, *verdict;
        void (*change)(struct pass_claims *);
    } rows[] = {
        {"a pass of this community", "valid", nothing}, {"an id beside the listed ones", "valid", both_ends},
        {"revoked", "revoked", revoked}, {"ordered to stay at home", "stay_home", stay_home},
        {"expires at this second", "expired", ended_now}, {"expires at the next second", "valid", ends_next},
        {"begins at this second", "valid", begins_now}, {"begins at the next second", "not_yet_valid", begins_next},
        {"another township", "wrong_area", elsewhere}, {"a part of this community", "wrong_area", below},
        {"a code that only begins alike", "wrong_area", prefix}, {"the whole county", "valid", above},
        {"the second of two areas", "valid", second}, {"stay at home comes before expired", "stay_home", home_and_expired},
        {"revoked comes before the area", "revoked", revoked_elsewhere}, {"expired comes before the area", "expired", expired_elsewhere},
        {"issued before the time of its key", "unknown_key", before_key}, {"issued as its key began", "valid", key_begins},
        {"issued after the time of its key", "unknown_key", after_key}, {"issued for a neighbour by our key", "unknown_key", other_issuer},
        {"kind 0", "damaged", kind_0}, {"kind 5", "damaged", kind_5}, {"no area", "damaged", no_area}, {"an area twice", "damaged", area_twice},
        {"an empty area", "damaged", area_empty}, {"a line end in an area", "damaged", area_control},
        {"a delete character in an area", "damaged", area_delete}, {"an area that is not UTF-8", "damaged", area_not_utf8},
        {"an area with half a surrogate", "damaged", area_surrogate}, {"an area of 65 bytes", "damaged", area_long},
        {"an empty issuer", "damaged", issuer_empty}, {"expires as it begins", "damaged", never}, {"the year 10000", "damaged", year_10000},
        {"1001 outings", "damaged", outings_1001}, {"in 0 days", "damaged", days_0}, {"in 367 days", "damaged", days_367},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pass_claims p = changed(rows[i].change);
        write_text(w, rows[i].name, rows[i].verdict, text_of_token(&w->c, token_of(&w->c, KEY_NOW, payload_of(&w->c, &p))));
    }
    write_text(w, "our claims signed by a neighbour", "unknown_key", text_of_token(&w->c, token_of(&w->c, KEY_NEIGHBOUR, w->payload)));
    write_text(w, "signed by a key that is in no set", "unknown_key", text_of_token(&w->c, token_of(&w->c, KEY_STRANGER, w->payload)));
}

/* Of the payload: a6 | 01 62 "jx" | 04 1a .... | 05 1a .... | 06 1a .... | 07 50 ... | 3a00010000 a4 01 81 6a ... 02 01 03 01 04 02 */
static void write_payload_verdicts(struct writer *w) {
    static const struct {
        const char *name;
        int at;
        size_t cut;
        const char *hex;
    } rows[] = {
        {"claims of indefinite length", 0, 1, "bf"}, {"a key longer than needed", 1, 1, "1801"}, {"a length longer than needed", 2, 1, "7802"},
        {"an issuer as bytes", 2, 1, "42"}, {"an issuer of indefinite length", 2, 3, "7f626a78ff"}, {"a time longer than needed", 6, 1, "1b00000000"},
        {"a time as a float", 6, 5, "fb41d791f6d8000000"}, {"a negative time", 6, 1, "3a"}, {"a time with a tag", 6, 0, "c1"},
        {"claims out of order", 5, 12, "051a5e461ac0041a5e59e140"}, {"a claim twice", 0, 5, "a701626a7801626a78"}, {"one claim too few", 0, 5, "a5"},
        {"one claim too many", 0, 5, "a701626a7803626a78"}, {"an id of 15 bytes", 24, 2, "4f"}, {"an id as text", 24, 1, "70"},
        {"a claim of another number", 41, 5, "3a00010001"}, {"an area less than said", 48, 1, "82"}, {"nine areas", 48, 1, "89"},
        {"areas of indefinite length", 48, 1, "9f"}, {"outings without days", 46, 1, "a3"}, {"outings of 0", -3, 1, "00"},
        {"a kind longer than needed", -5, 1, "1801"}, {"a byte behind the claims", -1, 1, "0200"}, {"the last byte missing", -1, 1, ""},
        {"a tag in front of the claims", 0, 0, "d83d"}, {"claims that are a number", 0, 58, "00"}, {"a reserved length", 6, 1, "1c"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str payload = edited(&w->c, w->payload, rows[i].at, MIN(rows[i].cut, w->payload.n), rows[i].hex);
        write_text(w, rows[i].name, "damaged", text_of_token(&w->c, token_of(&w->c, KEY_NOW, payload)));
    }
    write_text(w, "no claims", "damaged", text_of_token(&w->c, token_of(&w->c, KEY_NOW, STR(""))));
}

/* Ed25519 signs with a number s below the order L; s + L proves the same and must not pass. */
static struct str signature_plus_order(struct writer *w) {
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                      0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
    char *token = arena_strz(&w->c.a, w->token);
    unsigned carry = 0;
    for (size_t i = 0; i < 32; i++) {
        uint8_t *b = (uint8_t *)token + w->token.n - 32 + i;
        carry += *b + (unsigned)order[i];
        *b = (uint8_t)carry;
        carry >>= 8;
    }
    CHECK(carry == 0);
    return (struct str){token, w->token.n};
}

/* Of the token: d2 84 4d (a2 01 27 04 48 kid) a0 58 .. payload 58 40 signature */
static void write_token_verdicts(struct writer *w) {
    static const struct {
        const char *name, *verdict;
        int at;
        size_t cut;
        const char *hex;
    } rows[] = {
        {"another key id", "unknown_key", 8, 1, "00"}, {"one bit of the claims changed", "forged", 26, 1, "5f"},
        {"the end of the signature changed", "forged", -1, 1, "0f"}, {"a signature of zeros", "forged", -64, 64,
         "0000000000000000000000000000000000000000000000000000000000000000"
         "0000000000000000000000000000000000000000000000000000000000000000"},
        {"no tag", "damaged", 0, 1, ""}, {"the tag of another form", "damaged", 0, 1, "d1"}, {"an outer tag of CWT", "damaged", 0, 0, "d83d"},
        {"an array of three", "damaged", 1, 1, "83"}, {"an array of five", "damaged", 1, 1, "85"}, {"an array of indefinite length", "damaged", 1, 1, "9f"},
        {"algorithm ES256", "damaged", 5, 1, "26"}, {"no algorithm", "damaged", 2, 4, "4ba1"}, {"a key id of 7 bytes", "damaged", 7, 2, "47"},
        {"a header out of order", "damaged", 2, 14, "4da20448b4a8b2c3d4e5f6a70127"}, {"algorithm outside the signed header", "damaged", 16, 1, "a10127"},
        {"an unsigned header that is absent", "damaged", 16, 1, "f6"}, {"a signature of 63 bytes", "damaged", -66, 3, "583f"},
        {"a byte behind the signature", "damaged", -1, 1, "0000"}, {"the last byte of the signature missing", "damaged", -1, 1, ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        write_text(w, rows[i].name, rows[i].verdict, text_of_token(&w->c, edited(&w->c, w->token, rows[i].at, rows[i].cut, rows[i].hex)));
    write_text(w, "the signature written as s + L", "forged", text_of_token(&w->c, signature_plus_order(w)));
    write_text(w, "a list in the place of a pass", "damaged", text_of_token(&w->c, file_of(&w->c, KEY_NOW, &w->c.full[0])));
}

/* ---- base45 and zlib ---- */
static struct str packed(struct writer *w, struct str plain, int window, struct str behind) {
    struct buf to CLEANUP(buf_release) = BUF(1 << 12);
    Bytef out[4096];
    z_stream z = {.next_in = (Bytef *)plain.p, .avail_in = (uInt)plain.n, .next_out = out, .avail_out = sizeof out - 100};
    CHECK(deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY) == Z_OK && deflate(&z, Z_FINISH) == Z_STREAM_END);
    memcpy(z.next_out, behind.p, behind.n);
    buf_addz(&to, "LF1:");
    base45_add(&to, (struct str){(char *)out, z.total_out + behind.n});
    deflateEnd(&z);
    return arena_str(&w->c.a, buf_str(&to));
}

static void write_wrapping_verdicts(struct writer *w) {
    struct buf plain CLEANUP(buf_release) = BUF(PASS_TEXT_MAX);
    char *long_text = arena_alloc(&w->c.a, PASS_TEXT_MAX + 4), *bomb = arena_alloc(&w->c.a, 3000);
    memset(long_text, '0', PASS_TEXT_MAX + 3);
    memcpy(long_text, "LF1:", 4);
    const char *damaged = arena_strz(&w->c.a, w->text);
    write_text(w, "nothing", "not_a_pass", STR(""));
    write_text(w, "another QR code", "not_a_pass", STR("https://example.org/LF1:"));
    write_text(w, "a health certificate of the EU", "not_a_pass", STR("HC1:6BFOXN"));
    write_text(w, "lower case", "not_a_pass", str_z(arena_printf(&w->c.a, "lf1:%s", damaged + 4)));
    write_text(w, "a space in front", "not_a_pass", str_z(arena_printf(&w->c.a, " %s", damaged)));
    write_text(w, "the head alone", "damaged", STR("LF1:"));
    write_text(w, "a line end behind", "damaged", str_z(arena_printf(&w->c.a, "%s\n", damaged)));
    write_text(w, "one character too many", "damaged", str_z(arena_printf(&w->c.a, "%s0", damaged)));
    write_text(w, "two characters too many", "damaged", str_z(arena_printf(&w->c.a, "%s00", damaged)));
    write_text(w, "the second half missing", "damaged", str_sub(w->text, 0, 4 + 3 * 40));
    write_text(w, "a character that is not of base45", "damaged", edited(&w->c, w->text, 20, 1, "5f"));
    write_text(w, "a small letter", "damaged", edited(&w->c, w->text, 20, 1, "61"));
    write_text(w, "three characters above 65535", "damaged", edited(&w->c, w->text, 4, 3, "3a3a3a"));
    write_text(w, "1201 characters", "damaged", (struct str){long_text, PASS_TEXT_MAX + 1});
    buf_addz(&plain, "LF1:");
    base45_add(&plain, w->token);
    write_text(w, "not compressed", "damaged", buf_str(&plain));
    write_text(w, "deflate without the head of zlib", "damaged", packed(w, w->token, -15, STR("")));
    write_text(w, "gzip", "damaged", packed(w, w->token, 31, STR("")));
    write_text(w, "a byte behind the compressed ones", "damaged", packed(w, w->token, 15, STR("\0")));
    write_text(w, "3000 bytes of zeros", "damaged", packed(w, (struct str){bomb, 3000}, 15, STR("")));
    write_text(w, "compressed with a smaller window", "valid", packed(w, w->token, 9, STR("")));
}

/* ---- lists ---- */
static void write_list(struct writer *w, const char *name, const char *verdict, struct str file) {
    static const char *const kinds[] = {"", "revoked", "stay_home"};
    struct pass_list l;
    const char *got = pass_verdict_name(pass_list_read(w->c.set, KEYS, file, &l));
    if (strcmp(got, verdict) != 0) unit_fail(__FILE__, __LINE__, "%s is %s, not %s", name, got, verdict);
    begin_entry(w);
    json_put_strz(&w->out, "name", name);
    json_put_strz(&w->out, "verdict", verdict);
    put_hex(w, "file", file);
    if (strcmp(verdict, "valid") == 0) {
        json_put_strz(&w->out, "kind", kinds[l.kind]);
        json_put_int(&w->out, "version", l.version);
        json_put_int(&w->out, "base", l.base);
        json_put_int(&w->out, "count", (int64_t)pass_list_count(&l));
        json_put_int(&w->out, "removed", (int64_t)(l.removed.n / PASS_LIST_HASH));
        json_put_int(&w->out, "iat", l.made_at / US_PER_SECOND);
        json_put_int(&w->out, "exp", l.until_at / US_PER_SECOND);
    }
    json_object_end(&w->out);
}

static struct pass_list small_list(struct writer *w, int64_t version, unsigned from, unsigned n) {
    struct pass_list head = w->c.full[LIST_REVOKED], ret;
    struct id ids[8];
    head.version = version;
    for (unsigned i = 0; i < n; i++) ids[i] = pass_id(from + i);
    CHECK(pass_list_make(&w->c.a, &head, ids, n, &ret, &(struct err){0}) == 0);
    return ret;
}

static struct pass_list delta_of(struct writer *w, const struct pass_list *from, const struct pass_list *to) {
    struct pass_list ret;
    CHECK(pass_list_delta(&w->c.a, from, to, &ret, &(struct err){0}) == 0);
    return ret;
}

/* Of the file: d2 84 57 (a3 01 27 03 67 lf-list 04 48 kid) a0 58 .. payload: a4 | 01 62 "jx" | 04 1a .... | 06 1a .... | 3a00010001 a4 01 01 02 .. */
static void write_lists(struct writer *w) {
    struct pass_list three = small_list(w, 8, 100, 3), four = small_list(w, 9, 101, 4), none = small_list(w, 10, 0, 0), l;
    struct pass_list delta = delta_of(w, &three, &four);
    struct str file = file_of(&w->c, KEY_NOW, &three);
    begin_section(w, "lists");
    write_list(w, "three revoked passes", "valid", file);
    write_list(w, "nothing revoked", "valid", file_of(&w->c, KEY_NOW, &none));
    write_list(w, "changes", "valid", file_of(&w->c, KEY_NOW, &delta));
    l = delta_of(w, &four, &none);
    write_list(w, "all taken away", "valid", file_of(&w->c, KEY_NOW, &l));
    write_list(w, "signed by a key that is in no set", "unknown_key", file_of(&w->c, KEY_STRANGER, &three));
    l = three, l.issuer = STR("qc");
    write_list(w, "of a neighbour", "valid", file_of(&w->c, KEY_NEIGHBOUR, &l));
    write_list(w, "the last byte of the signature changed", "forged", edited(&w->c, file, -1, 1, "0f"));
    write_list(w, "the last entry changed", "forged", edited(&w->c, file, -67, 1, "00"));
    write_list(w, "a byte behind", "damaged", edited(&w->c, file, -1, 1, "0000"));
    write_list(w, "the last byte missing", "damaged", edited(&w->c, file, -1, 1, ""));
    write_list(w, "the content type of another thing", "damaged", edited(&w->c, file, 9, 1, "4c"));
    write_list(w, "a pass in the place of a list", "damaged", w->token);
    write_list(w, "nothing", "damaged", STR(""));
    json_array_end(&w->out);
    begin_section(w, "members");
    static const unsigned ids[] = {0, 99, 100, 101, 150, 199, 200, 299, 300};
    for (size_t i = 0; i < COUNT(ids) * LISTS; i++) {
        begin_entry(w);
        json_put_int(&w->out, "gate_list", (int64_t)(i % LISTS));
        put_id(w, pass_id(ids[i / LISTS]));
        json_put_bool(&w->out, "has", ids[i / LISTS] / 100 == i % LISTS + 1);
        json_object_end(&w->out);
    }
    json_array_end(&w->out);
}

static void write_change(struct writer *w, const char *name, const struct pass_list *list, const struct pass_list *delta, bool fits) {
    struct pass_list ret;
    CHECK(pass_list_apply(&w->c.a, list, delta, &ret) == fits);
    begin_entry(w);
    json_put_strz(&w->out, "name", name);
    put_hex(w, "list", file_of(&w->c, KEY_NOW, list));
    put_hex(w, "delta", file_of(&w->c, KEY_NOW, delta));
    json_put_bool(&w->out, "fits", fits);
    if (fits) put_hex(w, "hashes", ret.hashes);
    json_object_end(&w->out);
}

static void write_changes(struct writer *w) {
    struct pass_list three = small_list(w, 8, 100, 3), four = small_list(w, 9, 101, 4), none = small_list(w, 10, 0, 0);
    struct pass_list delta = delta_of(w, &three, &four), last = delta_of(w, &four, &none), other = small_list(w, 8, 100, 2), salted = three;
    salted.salt[3] ^= 1;
    begin_section(w, "changes");
    write_change(w, "from version 8 to 9", &three, &delta, true);
    write_change(w, "from version 9 to 10", &four, &last, true);
    write_change(w, "once more", &four, &delta, false);
    write_change(w, "a version between is missing", &three, &last, false);
    write_change(w, "version 8 with other content", &other, &delta, false);
    write_change(w, "of another series", &salted, &delta, false);
    write_change(w, "a full list is no change", &three, &four, false);
    json_array_end(&w->out);
}

static struct str read_vectors(struct arena *a) {
    FILE *f = fopen(VECTORS, "rb");
    char *text = arena_alloc(a, 1 << 20);
    size_t n = f ? fread(text, 1, 1 << 20, f) : 0;
    if (f) fclose(f);
    return (struct str){text, n};
}

TEST(the_vectors_are_what_this_program_makes) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    struct writer w = {.out = JSON_OUT(&b)};
    county_open(&w.c);
    struct pass_claims good = claims_of(1);
    w.payload = payload_of(&w.c, &good);
    w.token = token_of(&w.c, KEY_NOW, w.payload);
    w.text = text_of(&w.c, KEY_NOW, &good);
    json_object(&w.out);
    json_put_strz(&w.out, "about", "Passes, lists and their verdicts (src/pass/pass.h); written by tests/unit/pass_vectors.c, read by C and browser");
    write_gate(&w);
    write_all_issued(&w);
    begin_section(&w, "verify");
    write_claim_verdicts(&w);
    write_payload_verdicts(&w);
    write_token_verdicts(&w);
    write_wrapping_verdicts(&w);
    json_array_end(&w.out);
    write_lists(&w);
    write_changes(&w);
    json_object_end(&w.out);
    buf_addc(&b, '\n');
    const char *order = getenv("PASS_VECTORS");
    if (order && strcmp(order, "write") == 0) {
        FILE *f = fopen(VECTORS, "wb");
        CHECK(f && fwrite(b.p, 1, b.n, f) == b.n && fclose(f) == 0);
    }
    CHECK(str_eq(buf_str(&b), read_vectors(&w.c.a)));
    county_close(&w.c);
}

/* ---- the file as it stands ---- */
static struct json *vectors(struct arena *a) {
    struct json *ret;
    struct err e;
    CHECK(json_parse(a, read_vectors(a), NULL, &ret, &e) == 0);
    return ret;
}

TEST(the_texts_of_the_vectors_get_their_verdicts) {
    struct county c CLEANUP(county_close);
    county_open(&c);
    struct json *all = vectors(&c.a);
    size_t n = 0;
    for (struct json *v = json_get(all, "verify")->first; v; v = v->next, n++) CHECK_STR(json_text(v, "verdict"), verdict_of(&c, json_text(v, "text")));
    CHECK(n >= 100);
    for (struct json *v = json_get(all, "lists")->first; v; v = v->next) {
        struct pass_list l;
        enum pass_verdict got = pass_list_read(c.set, KEYS, from_hex(&c.a, json_text(v, "file")), &l);
        CHECK_STR(json_text(v, "verdict"), pass_verdict_name(got));
    }
}

TEST(the_passes_of_the_vectors_are_read_as_they_were_issued) {
    struct county c CLEANUP(county_close);
    county_open(&c);
    for (struct json *v = json_get(vectors(&c.a), "issue")->first; v; v = v->next) {
        struct pass_claims got = {0};
        struct json *claims = json_get(v, "claims");
        char id[ID_TEXT], number[PASS_NUMBER];
        int64_t key;
        enum pass_verdict verdict = pass_verify(&c.a, &c.gate, json_text(v, "text"), &got);
        CHECK(verdict == PASS_VALID || verdict == PASS_NOT_YET || verdict == PASS_WRONG_AREA);
        CHECK_STR(json_text(claims, "id"), id_text(got.id, id));
        CHECK_STR(json_text(v, "number"), pass_number(got.id, number));
        CHECK(json_int(json_get(v, "key"), &key));
        CHECK(str_eq(json_text(v, "payload"), hex_of(&c.a, payload_of(&c, &got))));
        CHECK(str_eq(json_text(v, "cose"), hex_of(&c.a, token_of(&c, (int)key, payload_of(&c, &got)))));
    }
}
