/*
 * Frames from a file through a board, and its answers to another file: hwgen_link on a POSIX serial port, or an SPI device of Linux.
 *
 * usage: hwgen_host PORT BAUD NETWORK_ID INPUT OUTPUT
 *   PORT        such as /dev/ttyUSB0, or spi:/dev/spidev0.0
 *   NETWORK_ID  16 hexadecimal digits, from the header of <name>_board.v, or 0 to take any
 *   INPUT       frames, each its beats one after another, as tdata of the accelerator's port, lowest byte first
 * exit code: 0 done, 1 the board does not answer or holds another network, 2 bad arguments or files
 */
#define _DEFAULT_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/spi/spidev.h>
#include <sys/ioctl.h>
#endif

#include "hwgen_link.h"
#include "hwgen_spi.h"

static int read_byte(void *context, uint32_t timeout_ms) {
    struct pollfd waiting = {*(int *)context, POLLIN, 0};
    uint8_t byte;
    if (poll(&waiting, 1, (int)timeout_ms) != 1) return -1;
    return read(waiting.fd, &byte, 1) == 1 ? byte : -1;
}

static void write_bytes(void *context, const uint8_t *bytes, size_t count) {
    while (count > 0) {
        const ssize_t done = write(*(int *)context, bytes, count);
        if (done <= 0) return;
        bytes += done;
        count -= (size_t)done;
    }
}

static speed_t rate_of(const char *text) {
    static const struct { long baud; speed_t rate; } rates[] = {
        {9600, B9600},       {57600, B57600},     {115200, B115200},   {230400, B230400},   {460800, B460800},
        {500000, B500000},   {921600, B921600},   {1000000, B1000000}, {1500000, B1500000}, {2000000, B2000000},
        {3000000, B3000000},
    };
    for (size_t n = 0; n < sizeof rates / sizeof *rates; n++)
        if (rates[n].baud == atol(text)) return rates[n].rate;
    return B0;
}

static uint32_t now_ms(void *context) {
    struct timespec now;
    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)now.tv_sec * 1000u + (uint32_t)(now.tv_nsec / 1000000);
}

#ifdef __linux__
static void transfer(void *context, const uint8_t *out, uint8_t *in, size_t count) {
    struct spi_ioc_transfer both;
    memset(&both, 0, sizeof both);
    both.tx_buf = (uintptr_t)out;
    both.rx_buf = (uintptr_t)in;
    both.len = (uint32_t)count;
    /* A transfer that failed brought nothing: silence. */
    if (ioctl(*(int *)context, SPI_IOC_MESSAGE(1), &both) < 0) memset(in, 0x7E, count);
}

static int open_spi(const char *path, uint32_t hz) {
    const uint8_t mode = SPI_MODE_0;
    const int port = open(path, O_RDWR);
    if (port < 0 || ioctl(port, SPI_IOC_WR_MODE, &mode) < 0 || ioctl(port, SPI_IOC_WR_MAX_SPEED_HZ, &hz) < 0) return -1;
    return port;
}
#else
static void transfer(void *context, const uint8_t *out, uint8_t *in, size_t count) {
    (void)context;
    (void)out;
    memset(in, 0x7E, count);
}

static int open_spi(const char *path, uint32_t hz) {
    (void)path;
    (void)hz;
    return -1;
}
#endif

static int open_serial(const char *path, speed_t rate) {
    struct termios settings;
    const int port = open(path, O_RDWR | O_NOCTTY);
    if (port < 0 || tcgetattr(port, &settings) != 0) return -1;
    cfmakeraw(&settings);
    cfsetspeed(&settings, rate);
    tcsetattr(port, TCSANOW, &settings);
    return port;
}

static int fail(int code, const char *sentence, const char *what) {
    fprintf(stderr, "hwgen_host: %s '%s'\n", sentence, what);
    return code;
}

int main(int count, char **words) {
    hwgen_identity board;
    if (count != 6) return fail(2, "usage: hwgen_host PORT BAUD NETWORK_ID INPUT OUTPUT, not", words[count - 1]);
    const int is_spi = strncmp(words[1], "spi:", 4) == 0;
    const speed_t rate = rate_of(words[2]);
    if (!is_spi && rate == B0) return fail(2, "this is no usual rate:", words[2]);
    int port = is_spi ? open_spi(words[1] + 4, (uint32_t)atol(words[2])) : open_serial(words[1], rate);
    if (port < 0) return fail(2, is_spi ? "cannot open the SPI device" : "cannot open the serial port", words[1]);
    const hwgen_port serial = {&port, read_byte, write_bytes};
    hwgen_spi spi = {&port, transfer, now_ms, 0, 0, 0};

    hwgen_link link = {is_spi ? hwgen_spi_port(&spi) : serial, 1000, 0, 0};
    if (hwgen_identify(&link, &board) != HWGEN_OK) return fail(1, "no board answers at", words[1]);
    const uint64_t wanted = strtoull(words[3], NULL, 16);
    if (wanted && wanted != board.network_id) return fail(1, "the board holds another network than", words[3]);

    FILE *input = fopen(words[4], "rb"), *output = fopen(words[5], "wb");
    if (!input) return fail(2, "cannot read", words[4]);
    if (!output) return fail(2, "cannot write", words[5]);
    const size_t frame_size = (size_t)board.beats_in * board.bytes_in;
    const size_t answer_size = (size_t)board.beats_out * board.bytes_out;
    uint8_t *frame = malloc(frame_size), *answer = malloc(answer_size);
    size_t frames = 0;
    while (frame && answer && fread(frame, 1, frame_size, input) == frame_size) {
        if (hwgen_infer(&link, frame, frame_size, answer, answer_size) != HWGEN_OK)
            return fail(1, "the board did not answer a frame of", words[4]);
        if (fwrite(answer, 1, answer_size, output) != answer_size) return fail(2, "cannot write", words[5]);
        frames++;
    }
    if (fclose(output) != 0) return fail(2, "cannot write", words[5]);
    printf("%zu frames, %lu requests sent again\n", frames, (unsigned long)link.retries);
    return 0;
}
