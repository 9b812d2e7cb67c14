#include "api/assets.h"
#include "unit.h"

TEST(every_packed_asset_is_found_by_its_path) {
    for (size_t i = 0; i < assets_count; i++) {
        const struct asset *a = &assets[i];
        CHECK(asset_find(str_z(a->path)) == a);
        CHECK(a->path[0] == '/' && a->mime[0] && strlen(a->etag) == 18);
        CHECK(a->raw.p && (!a->gz.p || a->gz.n < a->raw.n) && (!a->br.p || a->br.n < a->raw.n));
        CHECK(a->immutable == str_starts(str_z(a->path), STR("/assets/")));
        CHECK(i == 0 || strcmp(assets[i - 1].path, a->path) < 0);
    }
    CHECK(!asset_find(STR("/no/such/thing")) && !asset_find(STR("")) && !asset_find(STR_NONE));
}
