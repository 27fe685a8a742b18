/*
 * The host's end of SPI for hwgen_link: a port made of a function that exchanges bytes.
 *
 * SPI in mode 0, highest bit first, at most a sixth of the board's clock; docs/host_protocol.md has the rest. A board always sends
 * something: flags between packets, pairs of escapes within. Both are silence here, so that time-outs mean what they do on a serial port.
 */
#ifndef HWGEN_SPI_H
#define HWGEN_SPI_H

#include "hwgen_link.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Set the first three, and everything else to zero. Must stay where it is as long as its port is used. */
typedef struct {
    void *context;
    /* Exchange bytes with the board selected: send `out`, and put what comes meanwhile into `in`. */
    void (*transfer)(void *context, const uint8_t *out, uint8_t *in, size_t count);
    /* Milliseconds since any moment; may wrap. */
    uint32_t (*now_ms)(void *context);
    uint8_t last;    /* byte that was given last */
    uint8_t ahead;   /* byte behind an escape, */
    uint8_t is_ahead; /* if there is one */
} hwgen_spi;

/* Give the port for hwgen_link. */
hwgen_port hwgen_spi_port(hwgen_spi *spi);

#ifdef __cplusplus
}
#endif

#endif
