/* SPDX-License-Identifier: BSD-3-Clause */
/* Any accesses to a PC's serial port and clock, and any input: state stays sound. */
#include <stdlib.h>

#include "../../coopvmm/rtc.h"
#include "../../coopvmm/uart.h"

static void nowhere(void *ctx, uint8_t byte)
{
    (void)ctx, (void)byte;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct uart u = {.send = nowhere};
    struct rtc r;

    uart_reset(&u);
    rtc_reset(&r);
    for (; size >= 2; data += 2, size -= 2) {
        unsigned reg = data[0] & 7;

        switch (data[0] >> 3 & 7) {
        case 0: uart_read(&u, reg); break;
        case 1: uart_write(&u, reg, data[1]); break;
        case 2: uart_receive(&u, data[1]); break;
        case 3: rtc_write(&r, reg & 1, data[1]); break;
        case 4: rtc_read(&r, reg & 1, (time_t)((uint64_t)data[1] << reg * 8)); break;
        default: uart_interrupt(&u); break;
        }
        if (uart_room(&u) > UART_FIFO || u.rx_count > UART_FIFO || u.rx_head >= UART_FIFO)
            abort();
    }
    return 0;
}
