/* The browser program inside the executable (made by tools/pack.c from web/dist; empty when that was not built).
 *
 * Compressed forms are there only where they are smaller; the caller picks one by Accept-Encoding and sends
 * Cache-Control immutable where `immutable` says that the name holds a hash of the content, no-cache elsewhere. */
#ifndef ASSETS_H
#define ASSETS_H

#include "base/base.h"

struct asset_bytes {
    const unsigned char *p; /* NULL: not kept */
    size_t n;
};
struct asset {
    const char *path, *mime, *etag; /* "/index.html", with charset, in quotes */
    struct asset_bytes raw, gz, br;
    bool immutable;
};
extern const struct asset assets[]; /* sorted by path, byte order */
extern const size_t assets_count;

const struct asset *asset_find(struct str path); /* NULL if there is none; "/" is not "/index.html" */

#endif
