/*
 * Preloaded into a program: an SPI device of Linux that is any stream of bytes, one back for each that is sent. Only what a host of SPI
 * in mode 0 may ask is answered.
 */
#define _GNU_SOURCE
#include <linux/spi/spidev.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static int all(int file, uint8_t *bytes, size_t count, int sends) {
    while (count > 0) {
        const ssize_t done = sends ? write(file, bytes, count) : read(file, bytes, count);
        if (done <= 0) return -1;
        bytes += done;
        count -= (size_t)done;
    }
    return 0;
}

int ioctl(int file, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    void *what = va_arg(rest, void *);
    va_end(rest);
    if (request == SPI_IOC_WR_MODE) return *(uint8_t *)what == SPI_MODE_0 ? 0 : -1;
    if (request == SPI_IOC_WR_MAX_SPEED_HZ) return *(uint32_t *)what == 2000000 ? 0 : -1;
    if (request != SPI_IOC_MESSAGE(1)) return (int)syscall(SYS_ioctl, file, request, what);
    const struct spi_ioc_transfer *both = what;
    if (all(file, (uint8_t *)(uintptr_t)both->tx_buf, both->len, 1) != 0) return -1;
    return all(file, (uint8_t *)(uintptr_t)both->rx_buf, both->len, 0) != 0 ? -1 : (int)both->len;
}
