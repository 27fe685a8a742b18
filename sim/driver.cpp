// Batch driver: plays a file of input beats through a Verilated accelerator and records every transfer.
//
// usage: Vdut <data-in> <last-in> <response> [--name value]...
//   data-in      raw beats, each as many bytes as s_axis_tdata
//   last-in      one byte a beat: tlast
//   response     folder for out_data, out_cycles, out_last, in_cycles (uint64 little endian where cycles), one part behind the other if there
//                are resets, and parts: input and output beats of each part but the last
//   --expect N       stop after N output beats and --drain further cycles, or more further beats without input
//   --timeout N      cycles without any transfer and without a pause that mean a deadlock
//   --stall-in P, --stall-out P   per mille of cycles in which the source, the sink pauses;  --seed S
//   --burst N        longest phase of such pauses, or of others: see pauses.py;  --pace-in C, --pace-out C  cycles a beat in slow phases
//   --reset-at N,M.. in those cycles reset for one cycle, then play everything again: from the start after the last, else from a later frame each time and
//                    without pauses;  --frame N  beats of a frame
//   --waves FILE     only in a build with traces
//   --load FILE      only with REGISTERS: pairs of address and word, 32 bits each, that are written through s_axil first
// Cycle 0 is the cycle of the first input transfer. The last line on stdout is "done cycles=.. frame_error=..".
// exit code: 0 done, 3 deadlock, 4 bad arguments or files, 130 interrupted

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "Vdut.h"
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
using Waves = VerilatedFstC;
#elif VM_TRACE_VCD
#include "verilated_vcd_c.h"
using Waves = VerilatedVcdC;
#endif

namespace {

constexpr uint64_t RESET_CYCLES = 4;  // at power-up
constexpr uint64_t PROGRESS_CYCLES = 1 << 20;

volatile std::sig_atomic_t interrupted = 0;

[[noreturn]] void fail(const std::string& message) {
    std::fprintf(stderr, "%s\n", message.c_str());
    std::exit(4);
}

// Ports of up to 64 bits are integers, wider ones arrays of 32-bit words: both hold their bytes in little-endian order.
template <typename Port>
void store(Port& port, const uint8_t* bytes, size_t count) {
    if constexpr (std::is_integral_v<Port>) {
        Port value = 0;
        std::memcpy(&value, bytes, count);
        port = value;
    } else {
        std::memcpy(&port[0], bytes, count);
    }
}

template <typename Port>
void load(const Port& port, uint8_t* bytes, size_t count) {
    if constexpr (std::is_integral_v<Port>) {
        std::memcpy(bytes, &port, count);
    } else {
        std::memcpy(bytes, &port[0], count);
    }
}

// What pauses.py does, draw by draw, and says why.
class Pauses {
public:
    Pauses(uint64_t seed, uint64_t per_mille, uint64_t longest, uint64_t pace, bool held)
        : state_(seed * 2 + 1),
          per_mille_(per_mille),
          longest_(longest),
          pace_(pace),
          slow_(pace),
          left_(held ? longest : 2 * longest),
          kind_(held ? HELD : FREE),
          slow_next_(true) {}
    bool operator()() {
        if (per_mille_ == 0) return false;
        if (longest_ == 0) return draw() % 1000 < per_mille_;
        if (left_ == 0) begin();
        --left_;
        if (kind_ == SLOW) return draw() % slow_ != 0;
        if (kind_ == SINGLE) return draw() % 1000 < per_mille_;
        return kind_ == HELD;
    }

private:
    enum : uint64_t { HELD, FREE, SLOW, SINGLE };
    void begin() {
        if (slow_next_) {
            kind_ = SLOW;
            left_ = longest_;
            slow_next_ = false;
            return;
        }
        kind_ = draw() % 4;
        slow_ = 1 + draw() % pace_;
        const uint64_t place = draw();
        left_ = 1 + place % (1 + (longest_ >> 2 * (draw() % 4)));
    }
    uint64_t draw() {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return state_ >> 20;
    }
    uint64_t state_, per_mille_, longest_, pace_, slow_, left_, kind_;
    bool slow_next_;
};

std::vector<uint8_t> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) fail("cannot read " + path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

template <typename T>
void write_file(const std::string& path, const std::vector<T>& values) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
    if (!file.flush()) fail("cannot write " + path);
}

struct Options {
    std::map<std::string, std::string> values;
    uint64_t number(const std::string& name, uint64_t otherwise) const {
        const auto found = values.find(name);
        return found == values.end() ? otherwise : std::strtoull(found->second.c_str(), nullptr, 10);
    }
};

#ifdef REGISTERS
// Writes words through the AXI4-Lite port, one after another, with the streams at rest.
void load_memories(Vdut& dut, const std::string& path) {
    const std::vector<uint8_t> bytes = read_file(path);
    const auto tick = [&dut] {
        dut.eval();
        dut.aclk = 1;
        dut.eval();
        dut.aclk = 0;
    };
    dut.aclk = 0;
    for (uint64_t cycle = 0; cycle <= RESET_CYCLES; ++cycle) {
        dut.aresetn = cycle == RESET_CYCLES;
        tick();
    }
    dut.s_axil_wstrb = 0xf;
    dut.s_axil_bready = 1;
    for (size_t at = 0; at + 8 <= bytes.size(); at += 8) {
        uint32_t pair[2];
        std::memcpy(pair, &bytes[at], sizeof pair);
        dut.s_axil_awaddr = pair[0];
        dut.s_axil_wdata = pair[1];
        dut.s_axil_awvalid = dut.s_axil_wvalid = 1;
        for (bool answered = false; !answered;) {
            dut.eval();
            const bool address_taken = dut.s_axil_awready, word_taken = dut.s_axil_wready;
            answered = dut.s_axil_bvalid;
            if (answered && dut.s_axil_bresp != 0) fail("address " + std::to_string(pair[0]) + " cannot be written");
            tick();
            if (address_taken) dut.s_axil_awvalid = 0;
            if (word_taken) dut.s_axil_wvalid = 0;
        }
    }
    dut.s_axil_bready = 0;
}
#endif

std::vector<uint64_t> numbers(const std::string& text) {
    std::vector<uint64_t> found;
    std::istringstream stream(text);
    for (std::string number; std::getline(stream, number, ',');) found.push_back(std::strtoull(number.c_str(), nullptr, 10));
    return found;
}

template <typename T>
void append(std::vector<T>& all, const std::vector<T>& more) {
    all.insert(all.end(), more.begin(), more.end());
}

struct Record {
    std::vector<uint64_t> in_cycles, out_cycles;
    std::vector<uint8_t> out_data, out_last;
    void extend(const Record& more) {
        append(in_cycles, more.in_cycles);
        append(out_cycles, more.out_cycles);
        append(out_data, more.out_data);
        append(out_last, more.out_last);
    }
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4 || argc % 2 != 0) fail("expected three paths and pairs of --name value");
    Options options;
    for (int i = 4; i + 1 < argc; i += 2) options.values[argv[i]] = argv[i + 1];
    std::signal(SIGINT, [](int) { interrupted = 1; });
    std::signal(SIGTERM, [](int) { interrupted = 1; });

    const std::vector<uint8_t> data = read_file(argv[1]);
    const std::vector<uint8_t> last = read_file(argv[2]);
    if (data.size() != last.size() * IN_BYTES) fail("data and tlast files disagree about the number of beats");
    const size_t beats = last.size();
    const uint64_t expect = options.number("--expect", 0);
    const uint64_t timeout = options.number("--timeout", 1000000);
    const uint64_t drain = options.number("--drain", 64);
    const std::vector<uint64_t> resets = numbers(options.values["--reset-at"]);
    const uint64_t frame = options.number("--frame", 0);
    const uint64_t seed = options.number("--seed", 1);
    const uint64_t burst = options.number("--burst", 0);
    const Pauses first_in(seed * 2, options.number("--stall-in", 0), burst, options.number("--pace-in", 1), false);
    const Pauses first_out(seed * 2 + 1, options.number("--stall-out", 0), burst, options.number("--pace-out", 1), true);
    Pauses pause_in = first_in, pause_out = first_out;

    const auto context = std::make_unique<VerilatedContext>();
    const auto dut = std::make_unique<Vdut>(context.get(), "");
#if VM_TRACE
    Waves waves;
    context->traceEverOn(true);
    dut->trace(&waves, 99);
    if (!options.values.count("--waves")) fail("a build with traces needs --waves");
    waves.open(options.values["--waves"].c_str());
#endif

    if (options.values.count("--load")) {
#ifdef REGISTERS
        load_memories(*dut, options.values["--load"]);
#else
        fail("an accelerator without registers cannot be loaded");
#endif
    }
    Record record, earlier;
    std::vector<uint64_t> parts;
    size_t resets_done = 0;
    record.in_cycles.reserve(beats);
    record.out_cycles.reserve(expect);
    record.out_data.reserve(expect * OUT_BYTES);
    size_t next = 0;           // beat that is offered, or will be
    bool offered = false;      // once offered, a beat stays until it is taken
    uint64_t start = 0;        // clock edge of the first input transfer
    uint64_t quiet = 0;        // edges since the last transfer in which neither side pauses
    uint64_t drained = 0;
    uint64_t surplus = 0;      // output beats beyond the awaited ones since the last input transfer
    uint64_t resetting = RESET_CYCLES;
    uint64_t edge = 0;
    bool deadlock = false;
    dut->aclk = 0;
    for (; !interrupted; ++edge) {
        if (resets_done < resets.size() && edge == resets[resets_done]) {
            resetting = 1;
            ++resets_done;
            parts.insert(parts.end(), {record.in_cycles.size(), record.out_cycles.size()});
            earlier.extend(record);
            record = Record();
            quiet = 0;
            pause_in = first_in;
            pause_out = first_out;
            next = beats == 0 || resets_done == resets.size() ? 0 : resets_done * frame % beats;
            offered = false;
        }
        const bool in_reset = resetting != 0;
        const bool pausing = !in_reset && (resets_done == 0 || resets_done == resets.size());
        if (in_reset) --resetting;
        dut->aresetn = !in_reset;
        const bool starved = pausing && !offered && next < beats && pause_in();
        if (!in_reset && !offered && next < beats && !starved) {
            offered = true;
            store(dut->s_axis_tdata, &data[next * IN_BYTES], IN_BYTES);
            dut->s_axis_tlast = last[next] != 0;
        }
        dut->s_axis_tvalid = offered;
        const bool blocked = pausing && pause_out();
        dut->m_axis_tready = !in_reset && !blocked;
        dut->eval();
#if VM_TRACE
        waves.dump(10 * edge);
#endif
        if (!starved && !blocked) ++quiet;
        if (!in_reset && offered && dut->s_axis_tready) {
            if (record.in_cycles.empty()) start = edge;
            record.in_cycles.push_back(edge - start);
            offered = false;
            ++next;
            quiet = surplus = 0;
        }
        if (!in_reset && dut->m_axis_tvalid && dut->m_axis_tready) {
            const size_t at = record.out_data.size();
            record.out_data.resize(at + OUT_BYTES);
            load(dut->m_axis_tdata, &record.out_data[at], OUT_BYTES);
            record.out_cycles.push_back(edge - start);
            record.out_last.push_back(dut->m_axis_tlast);
            quiet = 0;
            // Beats without end come of no input.
            if (record.out_cycles.size() > expect && ++surplus > drain) break;
        }
        dut->aclk = 1;
        dut->eval();
#if VM_TRACE
        waves.dump(10 * edge + 5);
#endif
        dut->aclk = 0;
        if (next == beats && record.out_cycles.size() >= expect && resets_done == resets.size()) {
            if (++drained > drain) break;
        } else if (quiet > timeout) {
            deadlock = true;
            break;
        }
        if (edge % PROGRESS_CYCLES == PROGRESS_CYCLES - 1) {
            std::printf("cycle %llu: %zu of %zu input beats, %zu of %llu output beats\n",
                        static_cast<unsigned long long>(edge + 1), next, beats, record.out_cycles.size(),
                        static_cast<unsigned long long>(expect));
            std::fflush(stdout);
        }
    }
    const bool frame_error = dut->frame_error;
    std::string state = "s_axis: tvalid " + std::to_string(int(offered)) + " tready " +
                        std::to_string(int(dut->s_axis_tready)) + ", m_axis: tvalid " +
                        std::to_string(int(dut->m_axis_tvalid)) + " tready " + std::to_string(int(dut->m_axis_tready));
    dut->final();
#if VM_TRACE
    waves.close();
#endif
    if (interrupted) return 130;
    if (deadlock) {
        std::printf("deadlock: no transfer for %llu cycles after %zu of %zu input and %zu of %llu output beats; %s\n",
                    static_cast<unsigned long long>(timeout), next, beats, record.out_cycles.size(),
                    static_cast<unsigned long long>(expect), state.c_str());
        return 3;
    }
    const std::string folder = std::string(argv[3]) + "/";
    earlier.extend(record);
    write_file(folder + "in_cycles", earlier.in_cycles);
    write_file(folder + "out_cycles", earlier.out_cycles);
    write_file(folder + "out_data", earlier.out_data);
    write_file(folder + "out_last", earlier.out_last);
    write_file(folder + "parts", parts);
    std::printf("done cycles=%llu frame_error=%d\n", static_cast<unsigned long long>(edge + 1), int(frame_error));
    return 0;
}
