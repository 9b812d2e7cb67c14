/* Runs every file of the directories given through a fuzz target, so that each past finding is an ordinary test. */
#include <dirent.h>
#include <sys/stat.h>

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

static bool run_file(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) return false;
    FILE *f = fopen(path, "rb");
    if (!f) return false;
    size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size ? size : 1); /* exactly the size, so that ASan sees one byte too far */
    INVARIANT(data && fread(data, 1, size, f) == size);
    fclose(f);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return true;
}

static int run_directory(const char *dir, size_t *count) {
    struct dirent **names;
    int n = scandir(dir, &names, NULL, alphasort);
    if (n < 0) {
        fprintf(stderr, "replay: cannot read %s\n", dir);
        return 1;
    }
    for (int i = 0; i < n; i++) {
        struct buf path CLEANUP(buf_release) = BUF(4096);
        buf_addf(&path, "%s/%s", dir, names[i]->d_name);
        if (names[i]->d_name[0] != '.') *count += run_file(path.p);
        free(names[i]);
    }
    free(names);
    return 0;
}

int main(int argc, char **argv) {
    const char *name = strstr(argv[0], "replay-");
    size_t count = 0;
    if (LLVMFuzzerInitialize) LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        if (run_directory(argv[i], &count)) return 1;
    printf("replay %s: %zu inputs\n", name ? name + strlen("replay-") : argv[0], count);
    return count ? 0 : 1;
}
