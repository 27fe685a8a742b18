// Stand-in for the LZ4 library: writes valid LZ4 blocks that hold their bytes as they are.
// Verilator's FST writer asks for the library, whose header few machines have; waves need not be small.
#ifndef HWGEN_STORED_LZ4_H
#define HWGEN_STORED_LZ4_H

#include <cstring>

inline int LZ4_compressBound(int size) { return size + size / 255 + 16; }

// One sequence of literals only: a token with the length's first 15, the rest in bytes of up to 255, then the bytes.
inline int LZ4_compress_default(const char* source, char* target, int size, int capacity) {
    if (capacity < LZ4_compressBound(size)) return 0;
    char* out = target;
    if (size < 15) {
        *out++ = static_cast<char>(size << 4);
    } else {
        *out++ = static_cast<char>(0xF0);
        int rest = size - 15;
        for (; rest >= 255; rest -= 255) *out++ = static_cast<char>(0xFF);
        *out++ = static_cast<char>(rest);
    }
    std::memcpy(out, source, static_cast<size_t>(size));
    return static_cast<int>(out - target) + size;
}

#endif
