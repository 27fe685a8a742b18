/*
 * The near end of hwgen's host link in C99, for microcontrollers: no heap, no operating system, about 1 kB of code.
 *
 * The protocol is described in docs/host_protocol.md. Give the link two functions that move bytes and a buffer; then
 * identify the board once, compare the network id with that of the build, and have frames inferred.
 */
#ifndef HWGEN_LINK_H
#define HWGEN_LINK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How bytes reach the board: a UART, or an SPI port of the same bytes. */
typedef struct {
    void *context;
    /* Give the next byte (0..255), or -1 if none came within this many milliseconds. */
    int (*read_byte)(void *context, uint32_t timeout_ms);
    /* Send bytes; return when they are queued. */
    void (*write_bytes)(void *context, const uint8_t *bytes, size_t count);
} hwgen_port;

/* One conversation. Set `port` and `timeout_ms`, and everything else to zero. */
typedef struct {
    hwgen_port port;
    uint32_t timeout_ms; /* what an answer may take beyond its first byte's way: at least the inference, and some */
    uint16_t sequence;
    uint32_t retries; /* requests that had to be sent again so far */
} hwgen_link;

typedef struct {
    uint64_t network_id;
    uint32_t beats_in, beats_out; /* of a frame */
    uint16_t bytes_in, bytes_out; /* of a beat */
    uint32_t clock_hz;
} hwgen_identity;

typedef enum {
    HWGEN_OK = 0,
    HWGEN_NO_ANSWER, /* no intact answer in HWGEN_ATTEMPTS attempts */
    HWGEN_REFUSED    /* the board does not know the request, or expects another length: it holds another network */
} hwgen_status;

enum { HWGEN_ATTEMPTS = 10 };

/* Ask what is at the far end. */
hwgen_status hwgen_identify(hwgen_link *link, hwgen_identity *identity);

/*
 * Have one frame inferred. `frame` holds beats_in * bytes_in bytes; `answer` receives `answer_size` bytes, which must
 * be beats_out * bytes_out. An answer is only ever written after its CRC, its length and its number were right, except
 * that `answer` is also the place where damaged ones are gathered: look at it only if HWGEN_OK is returned.
 */
hwgen_status hwgen_infer(hwgen_link *link, const uint8_t *frame, size_t frame_size, uint8_t *answer,
                         size_t answer_size);

#ifdef __cplusplus
}
#endif

#endif
