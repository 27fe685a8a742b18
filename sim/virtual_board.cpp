// Virtual board: a Verilated board top, with the bytes of its serial port (compiled with SPI: of its SPI) on a pseudo-terminal.
//
// usage: Vdut <link> <divisor> <idle-cycles> [<flash> <address>]
//   link         name of a symbolic link that is made to the pseudo-terminal: any serial program can open it
//   divisor      clock cycles of a bit
//   idle-cycles  cycles with nothing but flags on the line after which the simulation rests between looks at the terminal
//   flash        compiled with FLASH: file with what the board's flash holds from the address on; an empty file: there is no flash
// Runs until SIGTERM, SIGINT or the end of the program that started it. exit code: 0 ended so, 4 bad arguments or no terminal

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "Vdut.h"
#include "verilated.h"

namespace {

constexpr int RESTING_POLL_MS = 5;
constexpr uint64_t RESET_CYCLES = 8;
// The board's own reset after power-up has to be over before the first bit.
constexpr uint64_t START_CYCLES = 2048;
constexpr uint64_t RESTING_BURST = 4096;

volatile std::sig_atomic_t ended = 0;

[[noreturn]] void fail(const std::string& message) {
    std::fprintf(stderr, "%s\n", message.c_str());
    std::exit(4);
}

// The near side of a pseudo-terminal. The far side is kept open too, or closing it would end the near side.
class Terminal {
public:
    explicit Terminal(const std::string& link) : link_(link) {
        near_ = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
        if (near_ < 0 || grantpt(near_) != 0 || unlockpt(near_) != 0) fail("no pseudo-terminal can be opened");
        const std::string name = ptsname(near_);
        far_ = open(name.c_str(), O_RDWR | O_NOCTTY);
        termios settings{};
        if (far_ < 0 || tcgetattr(far_, &settings) != 0) fail("cannot open " + name);
        cfmakeraw(&settings);
        if (tcsetattr(far_, TCSANOW, &settings) != 0) fail("cannot set up " + name);
        if (symlink(name.c_str(), link.c_str()) != 0) fail("cannot make the link " + link);
    }
    ~Terminal() {
        unlink(link_.c_str());
        close(far_);
        close(near_);
    }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    bool get(uint8_t& byte) { return read(near_, &byte, 1) == 1; }
    // A terminal that nobody empties loses what it cannot hold, as a serial line does.
    void put(uint8_t byte) {
        if (write(near_, &byte, 1) != 1) std::fprintf(stderr, "a byte was lost: nobody reads the terminal\n");
    }
    void rest() {
        pollfd waiting{near_, POLLIN, 0};
        poll(&waiting, 1, RESTING_POLL_MS);
    }

private:
    std::string link_;
    int near_ = -1;
    int far_ = -1;
};

#ifdef SPI
// The host's end of SPI in mode 0. It clocks all the time, with flags where it has no byte, which mean nothing between packets; within a
// packet it waits for the next byte. Of flags in a row from the board it passes on one. After every few bytes it deselects the board.
class Line {
public:
    static constexpr unsigned LEAST_DIVISOR = 6;
    explicit Line(unsigned divisor) : divisor_(divisor) {}
    bool free() const { return left_ == 0 && wait_ == 0; }
    bool idle() const { return (left_ == 0 || sent_ == FLAG) && got_ == FLAG; }
    void begin(uint8_t byte) {
        sent_ = byte;
        left_ = 8 * divisor_;
        if (!selected_) wait_ = divisor_;
        selected_ = true;
    }
    void poll() {
        if (sent_ == FLAG) begin(FLAG);
    }
    bool step(Vdut& dut, uint8_t& byte) {
        dut.spi_cs = !selected_;
        if (wait_ > 0 || left_ == 0) {
            dut.spi_sclk = 0;
            if (wait_ > 0) --wait_;
            return false;
        }
        const unsigned bit = (left_ - 1) / divisor_, remaining = (left_ - 1) % divisor_, high = divisor_ / 2;
        // The level that the pin had until now.
        if (remaining + 1 == high) shift_ = (shift_ << 1) | dut.spi_miso;
        dut.spi_mosi = (sent_ >> bit) & 1;
        dut.spi_sclk = remaining < high;
        if (--left_ > 0) return false;
        if (++count_ % SELECTION == 0) {
            selected_ = false;
            wait_ = 2 * divisor_;
        }
        const bool tells = shift_ != FLAG || got_ != FLAG;
        byte = got_ = shift_;
        return tells;
    }

private:
    static constexpr uint8_t FLAG = 0x7E;
    static constexpr unsigned SELECTION = 16;
    unsigned divisor_;
    unsigned left_ = 0;
    unsigned wait_ = 0;
    unsigned count_ = 0;
    bool selected_ = false;
    uint8_t sent_ = FLAG;
    uint8_t shift_ = 0;
    uint8_t got_ = FLAG;
};
#else
// Puts bytes on a pin: start bit, eight data bits from the lowest, stop bit.
class Sender {
public:
    explicit Sender(unsigned divisor) : divisor_(divisor) {}
    bool idle() const { return left_ == 0; }
    void begin(uint8_t byte) {
        bits_ = (byte << 1) | 0x200;
        left_ = 10 * divisor_;
    }
    bool level() {
        if (left_ == 0) return true;
        const unsigned bit = 10 - (left_ + divisor_ - 1) / divisor_;
        --left_;
        return (bits_ >> bit) & 1;
    }

private:
    unsigned divisor_;
    unsigned bits_ = 0;
    unsigned left_ = 0;
};

// Takes bytes from a pin, each bit in its middle.
class Receiver {
public:
    explicit Receiver(unsigned divisor) : divisor_(divisor) {}
    bool idle() const { return cycle_ == 0; }
    bool sample(bool level, uint8_t& byte) {
        if (cycle_ == 0 && level) return false;
        ++cycle_;
        if (cycle_ % divisor_ != (divisor_ + 1) / 2) return false;
        const unsigned bit = cycle_ / divisor_;
        if (bit >= 1 && bit <= 8) bits_ = (bits_ >> 1) | (level ? 0x80 : 0);
        if (bit < 9) return false;
        cycle_ = 0;
        byte = bits_;
        return level;
    }

private:
    unsigned divisor_;
    unsigned cycle_ = 0;
    unsigned bits_ = 0;
};

class Line {
public:
    static constexpr unsigned LEAST_DIVISOR = 4;
    explicit Line(unsigned divisor) : sender_(divisor), receiver_(divisor) {}
    bool free() const { return sender_.idle(); }
    bool idle() const { return sender_.idle() && receiver_.idle(); }
    void begin(uint8_t byte) { sender_.begin(byte); }
    void poll() {}
    bool step(Vdut& dut, uint8_t& byte) {
        dut.uart_rx = sender_.level();
        return receiver_.sample(dut.uart_tx, byte);
    }

private:
    Sender sender_;
    Receiver receiver_;
};
#endif

#ifdef FLASH
// An SPI flash in mode 0 that sleeps at first, and knows two commands: release from power-down, and read. Erased bytes are ones;
// without a flash the data pin is pulled up.
class FlashModel {
public:
    FlashModel(const std::string& file, uint32_t address) : address_(address) {
        std::ifstream in(file, std::ios::binary);
        if (!in) fail("cannot open " + file);
        contents_.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    bool level(bool select, bool clock, bool data) {
        if (select) {
            if (bits_ == 8 && command_ == RELEASE) awake_ = true;
            bits_ = 0;
            out_ = true;
        } else if (clock && !clock_) {
            if (bits_ < 8) {
                command_ = (command_ << 1) | data;
            } else if (bits_ < 32) {
                at_ = ((at_ << 1) | data) & 0xFFFFFF;
            }
            ++bits_;
        } else if (!clock && clock_ && bits_ >= 32 && command_ == READ && awake_ && !contents_.empty()) {
            const uint64_t bit = bits_ - 32;
            const uint64_t place = at_ + bit / 8 - address_;
            const uint8_t byte = place < contents_.size() ? contents_[place] : 0xFF;
            out_ = (byte >> (7 - bit % 8)) & 1;
        }
        clock_ = clock;
        return out_;
    }

private:
    static constexpr uint8_t RELEASE = 0xAB;
    static constexpr uint8_t READ = 0x03;
    std::vector<uint8_t> contents_;
    uint64_t address_;
    uint64_t bits_ = 0;
    uint64_t at_ = 0;
    uint8_t command_ = 0;
    bool awake_ = false;
    bool clock_ = false;
    bool out_ = true;
};
constexpr int ARGUMENTS = 6;
#else
constexpr int ARGUMENTS = 4;
#endif

}  // namespace

int main(int argc, char** argv) {
    if (argc != ARGUMENTS) fail("expected a link's name, the cycles of a bit, the idle cycles, and of a flash file and address");
    const unsigned divisor = std::strtoul(argv[2], nullptr, 10);
    const uint64_t idle_cycles = std::strtoull(argv[3], nullptr, 10);
    if (divisor < Line::LEAST_DIVISOR) fail("a bit takes at least " + std::to_string(Line::LEAST_DIVISOR) + " cycles");
    std::signal(SIGINT, [](int) { ended = 1; });
    std::signal(SIGTERM, [](int) { ended = 1; });

    const pid_t parent = getppid();
    Terminal terminal(argv[1]);
    const auto context = std::make_unique<VerilatedContext>();
    const auto dut = std::make_unique<Vdut>(context.get(), "");
#ifdef FLASH
    FlashModel flash(argv[4], std::strtoul(argv[5], nullptr, 10));
#endif
    Line line(divisor);
    uint64_t quiet = 0;
    dut->clk = 0;
    dut->eval();
    for (uint64_t cycle = 0; !ended; ++cycle) {
        uint8_t byte = 0;
        // A look at the terminal is a system call: one for each bit time of an idle line is often enough.
        if (line.free() && cycle > START_CYCLES && cycle % divisor == 0) {
            if (terminal.get(byte)) {
                line.begin(byte);
                quiet = 0;
            } else {
                line.poll();
            }
        }
        dut->rst = cycle < RESET_CYCLES;
        if (line.step(*dut, byte)) terminal.put(byte);
        dut->eval();
        dut->clk = 1;
        dut->eval();
        dut->clk = 0;
#ifdef FLASH
        dut->flash_cipo = flash.level(dut->flash_cs, dut->flash_clk, dut->flash_copi);
        if (!dut->flash_cs) quiet = 0;
#endif
        quiet = line.idle() ? quiet + 1 : 0;
        if (quiet > idle_cycles && quiet % RESTING_BURST == 0) {
            terminal.rest();
            if (getppid() != parent) break;
        }
    }
    dut->final();
    return 0;
}
