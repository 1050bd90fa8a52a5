/* SPDX-License-Identifier: BSD-3-Clause */
/* Files a guest is started from, mapped to be read. Threads: no state. */
#ifndef COOPVMM_FILEMAP_H
#define COOPVMM_FILEMAP_H

#include <stddef.h>
#include <stdint.h>

struct filemap {
    const uint8_t *data;
    size_t size;
};

/**
 * Maps a whole regular file that is not empty and has at most `max` bytes.
 * @param why receives, on error, what is wrong (constant text)
 * @return 0; -ENOEXEC: it is not such a file; the negative errno of opening or mapping it
 */
int filemap_open(const char *path, size_t max, struct filemap *out, const char **why);
void filemap_close(struct filemap *f);

#endif
