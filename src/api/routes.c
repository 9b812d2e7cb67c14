/* Every route.  The more literal pattern wins, so /reports/missing is not a record of the kind "reports". */
#include "api/request.h"

enum { KB = 1024, MB = 1024 * 1024 };

static const struct route routes[] = {
    {"POST", "/api/v1/accounts/{id}/link", account_link_route, "user.update", R_SLOW | R_JSON, 1 * KB, "A one-time sign-in link for an account"},
    {"GET", "/api/v1/areas", areas_route, "area.read", R_SLOW, 0, "The areas below one, or the highest the caller may see"},
    {"GET", "/api/v1/brief", brief_route, "figure.read", R_SLOW, 0, "The figures in words and tables"},
    {"GET", "/api/v1/bulletins", bulletins_route, "bulletin.read", R_SLOW, 0, "Bulletins issued, each with its version"},
    {"POST", "/api/v1/commands", commands_route, SESSION, R_MANY, 1 * MB, "Run a command (JSON) or many (NDJSON)"},
    {"GET", "/api/v1/coverage", coverage_route, "household.read", R_SLOW, 0, "Who answers for how many households, by area"},
    {"POST", "/api/v1/coverage/apply", coverage_apply_route, "household.assign", R_SLOW | R_LONG | R_JSON, 16 * KB, "Assign as proposed"},
    {"POST", "/api/v1/coverage/proposal", coverage_proposal_route, "household.read", R_SLOW | R_LONG | R_JSON, 16 * KB, "A proposal that closes the gaps"},
    {"GET", "/api/v1/feed", feed_route, SESSION, R_SLOW, 0, "Changes as they happen (server-sent events)"},
    {"GET", "/api/v1/figures", figures_route, "figure.read", R_SLOW, 0, "Figures of an area for a day or period"},
    {"GET", "/api/v1/figures/{id}/rows", figure_rows_route, "figure.read", R_SLOW, 0, "The records behind a figure"},
    {"GET", "/api/v1/figures/{id}/series", series_route, "figure.read", R_SLOW, 0, "A figure day by day"},
    {"GET", "/api/v1/gate/bundle", gate_bundle_route, "pass.verify", R_SLOW, 0, "What a gate needs to judge passes by itself"},
    {"GET", "/api/v1/gate/history", gate_history_route, "gate_scan.read", R_SLOW, 0, "Where a pass, vehicle or person was seen, newest first"},
    {"GET", "/api/v1/gate/keys", gate_keys_route, "pass.verify", R_SLOW, 0, "The public keys of passes"},
    {"GET", "/api/v1/gate/lists/{list}", gate_list_route, "pass.verify", R_SLOW, 0, "Passes that are revoked, or whose holders stay at home: a signed file"},
    {"POST", "/api/v1/gate/scan", gate_scan_route, "gate_scan.create", R_MANY, 16 * KB, "Record a passage and say what to do (JSON), or many (NDJSON)"},
    {"GET", "/api/v1/gate/scans/{id}/near", gate_near_route, "gate_scan.read", R_SLOW, 0, "Who passed the same gate within minutes of a scan"},
    {"POST", "/api/v1/gate/verify", gate_verify_route, "pass.verify", R_SLOW | R_JSON, 4 * KB, "The verdict on a pass at a gate"},
    {"GET", "/api/v1/gate/{id}/scans", gate_scans_route, "gate_scan.read", R_SLOW, 0, "Who passed a gate, by the hour"},
    {"GET", "/api/v1/gates/day", gates_day_route, "gate.read", R_SLOW, 0, "What passed each gate on a day"},
    {"GET", "/api/v1/imports/{id}/refused", refused_route, "import.run", R_SLOW, 0, "The rows that an import refused"},
    {"GET", "/api/v1/kinds", kinds_route, SESSION, 0, 0, "Kinds of records with their fields"},
    {"GET", "/api/v1/openapi.json", openapi_route, PUBLIC, R_SLOW, 0, "This description"},
    {"GET", "/api/v1/passes/sheet.pdf", pass_sheet_route, "pass.read", R_SLOW | R_LONG, 0, "Cards of passes to print, ten on a page"},
    {"GET", "/api/v1/passes/{id}/card.pdf", pass_card_route, "pass.read", R_SLOW, 0, "The card of a pass"},
    {"GET", "/api/v1/passes/{id}/qr", pass_qr_route, "pass.read", R_SLOW, 0, "The text of the QR code of a pass"},
    {"GET", "/api/v1/reports/missing", missing_route, "report_unit.read", R_SLOW, 0, "Units that owe a daily report"},
    {"DELETE", "/api/v1/session", session_end_route, SESSION, R_SLOW, 1 * KB, "Sign out"},
    {"GET", "/api/v1/session", session_get_route, SESSION, 0, 0, "Who is signed in and what they may do"},
    {"POST", "/api/v1/session", session_login_route, PUBLIC, R_SLOW | R_JSON, 16 * KB, "Sign in"},
    {"POST", "/api/v1/session/link", session_link_route, PUBLIC, R_SLOW | R_JSON, 16 * KB, "Set a password by a one-time link"},
    {"POST", "/api/v1/session/password", session_password_route, SESSION, R_SLOW | R_JSON, 16 * KB, "Change the password"},
    {"POST", "/api/v1/session/totp", session_totp_route, SESSION, R_SLOW | R_JSON, 16 * KB, "Begin or confirm a second factor"},
    {"GET", "/api/v1/{kind}", list_route, "{kind}.read", R_SLOW, 0, "List and search records"},
    {"GET", "/api/v1/{kind}/export", export_route, "{kind}.read", R_SLOW | R_LONG, 0, "Records as CSV, TSV, XLSX or NDJSON"},
    {"POST", "/api/v1/{kind}/import", import_route, "import.run", R_SLOW | R_LONG | R_BYTES, 64 * MB, "Import a table"},
    {"GET", "/api/v1/{kind}/{id}", record_route, "{kind}.read", 0, 0, "One record"},
    {"GET", "/api/v1/{kind}/{id}/history", history_route, "{kind}.read", R_SLOW, 0, "Who changed it, when, and what"},
    {"GET", "/healthz", health_route, PUBLIC, R_NOW, 0, "Whether the program answers"},
    {"GET", "/metrics", metrics_route, PUBLIC, R_NOW, 0, "Counts for Prometheus"},
};

const struct route *route_at(size_t i) {
    return i < COUNT(routes) ? &routes[i] : NULL;
}
