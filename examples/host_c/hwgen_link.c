#include "hwgen_link.h"

enum { FLAG = 0x7E, ESCAPE = 0x7D, FLIP = 0x20, VERSION = 1 };
enum { IDENTIFY = 1, INFER = 2, ANSWER = 0x80, REFUSED = 0xFF, REASON_CRC = 1 };
enum { HEADER_BYTES = 4, CRC_BYTES = 4, IDENTITY_BYTES = 28 };

/* So many bytes beyond an answer's without a flag are no board's: an SPI board without power, say. */
enum { BABBLE_BYTES = 65536 };

/* What receiving made of the bytes up to a flag. */
typedef enum { TIMED_OUT, DAMAGED, FOREIGN, ANSWERED, REFUSAL } event;

static uint32_t crc32_byte(uint32_t crc, uint8_t byte) {
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1u)));
    return crc;
}

static void put(hwgen_link *link, uint8_t byte) {
    const uint8_t stuffed[2] = {ESCAPE, (uint8_t)(byte ^ FLIP)};
    if (byte == FLAG || byte == ESCAPE)
        link->port.write_bytes(link->port.context, stuffed, 2);
    else
        link->port.write_bytes(link->port.context, &byte, 1);
}

static void put_checked(hwgen_link *link, uint8_t byte, uint32_t *crc) {
    *crc = crc32_byte(*crc, byte);
    put(link, byte);
}

static void send(hwgen_link *link, uint8_t kind, const uint8_t *payload, size_t size) {
    const uint8_t flag = FLAG;
    const uint8_t header[HEADER_BYTES] = {VERSION, kind, (uint8_t)link->sequence, (uint8_t)(link->sequence >> 8)};
    uint32_t crc = 0xFFFFFFFFu;
    link->port.write_bytes(link->port.context, &flag, 1);
    for (size_t n = 0; n < HEADER_BYTES; n++) put_checked(link, header[n], &crc);
    for (size_t n = 0; n < size; n++) put_checked(link, payload[n], &crc);
    crc = ~crc;
    for (int n = 0; n < CRC_BYTES; n++) put(link, (uint8_t)(crc >> 8 * n));
    link->port.write_bytes(link->port.context, &flag, 1);
}

/*
 * Receive up to the end of a packet. The last four bytes are the CRC, so a byte counts as payload when four more have
 * come. A CRC over content and check together has one fixed value.
 */
static event receive(hwgen_link *link, uint8_t kind, uint8_t *answer, size_t answer_size) {
    uint8_t header[HEADER_BYTES] = {0, 0, 0, 0}, recent[CRC_BYTES] = {0, 0, 0, 0}, reason = 0;
    uint32_t crc = 0xFFFFFFFFu;
    size_t count = 0;
    int escaped = 0;
    for (;;) {
        const int got = link->port.read_byte(link->port.context, link->timeout_ms);
        if (got < 0) return TIMED_OUT;
        if (got == FLAG) {
            if (count == 0) continue;
            break;
        }
        if (got == ESCAPE) {
            escaped = !escaped; /* two in a row fill a gap within a packet, and mean nothing */
            continue;
        }
        const uint8_t byte = (uint8_t)(escaped ? got ^ FLIP : got);
        escaped = 0;
        crc = crc32_byte(crc, byte);
        if (count >= CRC_BYTES) {
            const size_t place = count - CRC_BYTES;
            const uint8_t settled = recent[count % CRC_BYTES];
            if (place < HEADER_BYTES)
                header[place] = settled;
            else if (header[1] == (kind | ANSWER) && place - HEADER_BYTES < answer_size)
                answer[place - HEADER_BYTES] = settled;
            if (place == HEADER_BYTES) reason = settled;
        }
        recent[count % CRC_BYTES] = byte;
        count++;
        if (count > answer_size + BABBLE_BYTES) return DAMAGED;
    }
    if (count < HEADER_BYTES + CRC_BYTES || crc != 0xDEBB20E3u || header[0] != VERSION) return DAMAGED;
    const size_t payload = count - HEADER_BYTES - CRC_BYTES;
    if (header[1] == REFUSED && reason == REASON_CRC) return DAMAGED;
    if ((header[2] | header[3] << 8) != link->sequence) return FOREIGN;
    if (header[1] == REFUSED) return REFUSAL;
    return header[1] == (kind | ANSWER) && payload == answer_size ? ANSWERED : FOREIGN;
}

static hwgen_status request(hwgen_link *link, uint8_t kind, const uint8_t *payload, size_t size, uint8_t *answer,
                            size_t answer_size) {
    link->sequence++;
    for (int attempt = 0; attempt < HWGEN_ATTEMPTS; attempt++) {
        event what = FOREIGN;
        if (attempt) link->retries++;
        send(link, kind, payload, size);
        /* A late answer to an earlier request is passed over; it cannot be taken for this one. */
        while (what == FOREIGN) what = receive(link, kind, answer, answer_size);
        if (what == ANSWERED) return HWGEN_OK;
        if (what == REFUSAL) return HWGEN_REFUSED;
    }
    return HWGEN_NO_ANSWER;
}

static uint32_t word(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

hwgen_status hwgen_identify(hwgen_link *link, hwgen_identity *identity) {
    uint8_t answer[IDENTITY_BYTES];
    const hwgen_status status = request(link, IDENTIFY, 0, 0, answer, sizeof answer);
    if (status != HWGEN_OK) return status;
    identity->network_id = word(answer) | (uint64_t)word(answer + 4) << 32;
    identity->beats_in = word(answer + 8);
    identity->beats_out = word(answer + 12);
    identity->bytes_in = (uint16_t)word(answer + 16);
    identity->bytes_out = (uint16_t)(word(answer + 16) >> 16);
    identity->clock_hz = word(answer + 20);
    return HWGEN_OK;
}

hwgen_status hwgen_infer(hwgen_link *link, const uint8_t *frame, size_t frame_size, uint8_t *answer,
                         size_t answer_size) {
    return request(link, INFER, frame, frame_size, answer, answer_size);
}
