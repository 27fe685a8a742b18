// Stand-in for zlib's one-call compressor: writes valid streams of stored blocks. See lz4.h.
#ifndef HWGEN_STORED_ZLIB_H
#define HWGEN_STORED_ZLIB_H

#include <cstring>

using Bytef = unsigned char;
using uLong = unsigned long;
using uLongf = unsigned long;

constexpr int Z_OK = 0;
constexpr int Z_BUF_ERROR = -5;

inline uLong compressBound(uLong size) { return size + 5 * (size / 65535 + 1) + 6; }

inline int compress2(Bytef* target, uLongf* target_size, const Bytef* source, uLong size, int) {
    if (*target_size < compressBound(size)) return Z_BUF_ERROR;
    Bytef* out = target;
    *out++ = 0x78;
    *out++ = 0x01;
    uLong a = 1, b = 0;
    uLong at = 0;
    do {
        const uLong count = size - at < 65535 ? size - at : 65535;
        *out++ = at + count == size;  // last block; type "stored"
        *out++ = count & 0xFF;
        *out++ = count >> 8;
        *out++ = ~count & 0xFF;
        *out++ = (~count >> 8) & 0xFF;
        std::memcpy(out, source + at, count);
        out += count;
        for (uLong i = 0; i < count; ++i) {
            a = (a + source[at + i]) % 65521;
            b = (b + a) % 65521;
        }
        at += count;
    } while (at < size);
    for (const uLong half : {b, a}) {
        *out++ = (half >> 8) & 0xFF;
        *out++ = half & 0xFF;
    }
    *target_size = static_cast<uLongf>(out - target);
    return Z_OK;
}

#endif
