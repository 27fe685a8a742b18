#include "hwgen_spi.h"

enum { FLAG = 0x7E, ESCAPE = 0x7D, CHUNK = 32 };

static uint8_t poll_byte(hwgen_spi *spi) {
    const uint8_t flag = FLAG;
    uint8_t byte = FLAG;
    spi->transfer(spi->context, &flag, &byte, 1);
    return byte;
}

static int read_byte(void *context, uint32_t timeout_ms) {
    hwgen_spi *spi = context;
    const uint32_t began = spi->now_ms(spi->context);
    if (spi->is_ahead) {
        spi->is_ahead = 0;
        return spi->last = spi->ahead;
    }
    do {
        const uint8_t byte = poll_byte(spi);
        if (byte == ESCAPE) {
            spi->ahead = poll_byte(spi);
            if (spi->ahead == ESCAPE) continue;
            spi->is_ahead = 1;
            return spi->last = byte;
        }
        if (byte != FLAG || spi->last != FLAG) return spi->last = byte;
    } while (spi->now_ms(spi->context) - began < timeout_ms);
    return -1;
}

/* What comes while a request is sent is the rest of an earlier answer, for which nobody waits. */
static void write_bytes(void *context, const uint8_t *bytes, size_t count) {
    hwgen_spi *spi = context;
    uint8_t passed[CHUNK];
    while (count > 0) {
        const size_t now = count < CHUNK ? count : CHUNK;
        spi->transfer(spi->context, bytes, passed, now);
        bytes += now;
        count -= now;
    }
}

hwgen_port hwgen_spi_port(hwgen_spi *spi) {
    const hwgen_port port = {spi, read_byte, write_bytes};
    return port;
}
