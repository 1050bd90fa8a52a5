/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading JSON that may lack anything: what is not there is 0 or "-". */
#ifndef COOPVMM_JSONUTIL_H
#define COOPVMM_JSONUTIL_H

#include <jansson.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t json_u64(const json_t *j, const char *key)
{
    json_int_t v = json_integer_value(json_object_get(j, key));

    return v > 0 ? (uint64_t)v : 0;
}

static inline int json_int(const json_t *j, const char *key)
{
    return (int)json_integer_value(json_object_get(j, key));
}

static inline const char *json_text(const json_t *j, const char *key)
{
    const char *text = json_string_value(json_object_get(j, key));

    return text ? text : "-";
}

/** The object of an array whose `key` is `value`. @return NULL if there is none */
static inline json_t *json_named(const json_t *array, const char *key, const char *value)
{
    size_t i;
    json_t *j;

    json_array_foreach(array, i, j)
    {
        const char *text = json_string_value(json_object_get(j, key));

        if (text && strcmp(text, value) == 0)
            return j;
    }
    return NULL;
}

#endif
