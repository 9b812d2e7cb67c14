/* bench-roster FILE.xlsx ROWS HOUSEHOLDS: a roster of invented residents as a community keeps it, for the import. */
#include "base/day.h"
#include "bench.h"
#include "sheet/sheet.h"

static void row(struct sheet_out *o, uint64_t n, uint64_t households) {
    struct invented p;
    char household[16];
    day_t birth;
    invented_make(n, &p);
    snprintf(household, sizeof household, "h%u", (unsigned)(n % households));
    sheet_out_int(o, (int64_t)n + 1);
    sheet_out_text(o, str_z(p.name));
    sheet_out_text(o, p.male ? STR("男") : STR("女"));
    if (day_from_iso(str_z(p.birth), &birth)) sheet_out_day(o, birth);
    sheet_out_text(o, str_z(p.id_number));
    sheet_out_text(o, str_z(p.phone));
    sheet_out_text(o, str_z(household));
    sheet_out_row_end(o);
}

int main(int argc, char **argv) {
    static const char *const headings[] = {"序号", "姓名", "性别", "出生日期", "身份证号", "手机号", "户编号"};
    struct sheet_out *o;
    struct err e;
    int64_t rows, households;
    if (argc != 4 || !str_to_int(str_z(argv[2]), 1, 1000000, &rows) || !str_to_int(str_z(argv[3]), 1, 1000000, &households)) bench_fail("usage: bench-roster FILE.xlsx ROWS HOUSEHOLDS");
    if (sheet_out_open(argv[1], &(struct sheet_out_options){.format = SHEET_XLSX, .title = "居民"}, &o, &e)) bench_fail("%s: %s", argv[1], e.arg[0]);
    for (size_t i = 0; i < COUNT(headings); i++) sheet_out_heading(o, str_z(headings[i]));
    sheet_out_row_end(o);
    for (int64_t i = 0; i < rows; i++) row(o, (uint64_t)i, (uint64_t)households);
    if (sheet_out_close(o, &e)) bench_fail("%s: %s", argv[1], e.arg[0]);
    return 0;
}
