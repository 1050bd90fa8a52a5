#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs the unit suite this script is linked as under valgrind: errors and definite leaks fail it.
here=$(dirname "$(readlink -f "$0")")
exec valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite \
    --errors-for-leak-kinds=definite --suppressions="$here/../tests/unit/valgrind.supp" \
    --child-silent-after-fork=yes "${BUILD:-build}/tests/$(basename "$0")"
