#include "api/assets.h"

const struct asset *asset_find(struct str path) {
    size_t lo = 0, hi = assets_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = str_cmp(path, str_z(assets[mid].path));
        if (c == 0) return &assets[mid];
        if (c < 0) hi = mid;
        else lo = mid + 1;
    }
    return NULL;
}
