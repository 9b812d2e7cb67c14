/* The named loads and what they ask for; marks as in form.h. */
#include "bench/bench.h"

#define PARTS(a) .parts = (a), .n = COUNT(a)
#define SCANS {"过卡登记：证号为虚构，处置为放行，来自写作 lianfang bench；每条都计入各卡点当天的人数", \
               "gate scans with invented pass numbers, verdict \"pass\", origin \"lianfang bench\"; each counts among the persons of its gate today"}
#define SCAN "\"id\":\"{id}\",\"gate\":\"{gate}\",\"pass\":\"{pass}\",\"what\":\"person\",\"temperature\":{heat},\"seen_at\":\"{now}\""
#define OWN_SCAN "{" SCAN "}"
#define FOREIGN_SCAN "{" SCAN ",\"verdict\":\"pass\",\"origin\":\"lianfang bench\"}"

static const struct load_part scan_parts[] = {
    {NULL, "gate_scan", {"POST", "/api/v1/gate/scan", "application/json", OWN_SCAN, 0}, FOREIGN_SCAN},
};
static const struct load_part scan_many_parts[] = {
    {NULL, "gate_scan", {"POST", "/api/v1/gate/scan", "application/x-ndjson", OWN_SCAN, 1000}, FOREIGN_SCAN},
};
static const struct load_part resident_parts[] = {
    {NULL, "resident", {"POST", "/api/v1/commands", "application/json",
                        "{\"id\":\"{id}\",\"command\":\"resident.create\",\"data\":{\"household\":\"{household}\",\"name\":\"{name}\",\"birth_date\":\"{birth}\","
                        "\"id_number\":\"{id_number}\",\"phone\":\"{phone}\",\"since\":\"2020-01-01\"}}", 0}},
};
static const struct load_part dashboard_parts[] = {
    {"figures", NULL, {"GET", "/api/v1/figures", NULL, NULL, 0}},
    {"figure", NULL, {"GET", "/api/v1/figures?id=gate.persons", NULL, NULL, 0}},
    {"brief", NULL, {"GET", "/api/v1/brief", NULL, NULL, 0}},
};
static const struct load_part history_parts[] = {
    {"pass", NULL, {"GET", "/api/v1/gate/history?pass={pass}&from={day}&to={today}", NULL, NULL, 0}},
    {"gate-hour", NULL, {"GET", "/api/v1/gate/{gate}/scans?from={hour}&to={next_hour}", NULL, NULL, 0}},
    {"near", NULL, {"GET", "/api/v1/gate/scans/{scan}/near?minutes=5", NULL, NULL, 0}},
};

const struct load loads[] = {
    {"scan", {"过卡登记，每次一条", "Gate scans, one to a request"},
     SCANS, LOAD_WRITES, 64, PARTS(scan_parts)},
    {"scan-many", {"过卡登记，每次 1000 条（NDJSON）", "Gate scans, 1000 to a request (NDJSON)"},
     SCANS, LOAD_WRITES, 4, PARTS(scan_many_parts)},
    {"roundtrip", {"一名值守人员逐条登记", "A single guard, one scan after the other"},
     SCANS, LOAD_WRITES | LOAD_ALONE, 1, PARTS(scan_parts)},
    {"resident", {"居民登记，每次一人", "Residents entered, one to a request"}, {NULL, NULL}, LOAD_WRITES | LOAD_OWN_SITE, 16, PARTS(resident_parts)},
    {"import", {"导入居民名册（XLSX）", "A roster of residents imported (XLSX)"}, {NULL, NULL}, LOAD_WRITES | LOAD_OWN_SITE, 1},
    {"dashboard", {"全县指标", "All figures of the county"}, {NULL, NULL}, 0, 1, PARTS(dashboard_parts)},
    {"history", {"某证何时过卡；某卡点一小时；前后几分钟同过一卡", "When a pass was seen; a gate's hour; who passed within minutes"}, {NULL, NULL}, LOAD_OWN_SITE, 1, PARTS(history_parts)},
};
const size_t loads_n = COUNT(loads);

const struct load *load_by_name(const char *name) {
    for (size_t i = 0; i < loads_n; i++)
        if (strcmp(loads[i].name, name) == 0) return &loads[i];
    return NULL;
}
