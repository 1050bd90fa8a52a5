#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs the unit suite this script is linked as under valgrind: errors and definite leaks fail it.
exec valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite \
    --child-silent-after-fork=yes "${BUILD:-build}/tests/$(basename "$0")"
