// What lets the text of the kernels be compiled as C++ and run on the CPU: blocks one after another, threads as fibers that meet at
// __syncthreads.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ucontext.h>
#include <vector>

#define __global__
#define __device__
#define __forceinline__ inline
#define __shared__ static
#define __grid_constant__
#define __launch_bounds__(...)

struct Dim3 {
    unsigned x, y, z;
};
static Dim3 threadIdx, blockIdx, gridDim;

template <class To, class From> static inline To bits(From from) {
    static_assert(sizeof(To) == sizeof(From), "");
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}
static inline unsigned __float_as_uint(float value) { return bits<unsigned>(value); }
static inline float __uint_as_float(unsigned value) { return bits<float>(value); }
static inline int __double2hiint(double value) { return (int)(bits<uint64_t>(value) >> 32); }
static inline int __double2loint(double value) { return (int)bits<uint64_t>(value); }
static inline double __hiloint2double(int high, int low) { return bits<double>((uint64_t)(unsigned)high << 32 | (unsigned)low); }
static inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((uint64_t)a * b >> 32); }
static inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
static inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }
static inline float __fsqrt_rn(float value) { return std::sqrt(value); }
static inline double __dsqrt_rn(double value) { return std::sqrt(value); }

struct Fiber {
    ucontext_t context;
    std::vector<char> stack;
    bool done;
};
static ucontext_t scheduler;
static Fiber* running;
static void (*body)(const void*);
static const void* parameter_of_body;

static inline void __syncthreads() { swapcontext(&running->context, &scheduler); }

static void live() {
    body(parameter_of_body);
    running->done = true;
    swapcontext(&running->context, &scheduler);
}

// One block: every fiber runs up to the next barrier, then the next fiber does.
static void run_fibers(std::vector<Fiber>& fibers) {
    for (Fiber& fiber : fibers) {
        getcontext(&fiber.context);
        fiber.stack.resize(1 << 16);
        fiber.context.uc_stack.ss_sp = fiber.stack.data();
        fiber.context.uc_stack.ss_size = fiber.stack.size();
        fiber.context.uc_link = nullptr;
        fiber.done = false;
        makecontext(&fiber.context, live, 0);
    }
    for (bool all_done = false; !all_done;) {
        all_done = true;
        for (unsigned i = 0; i < fibers.size(); ++i) {
            if (fibers[i].done) continue;
            running = &fibers[i];
            threadIdx = {i, 0, 0};
            swapcontext(&scheduler, &fibers[i].context);
            all_done = all_done && fibers[i].done;
        }
    }
}

static void run_grid(void (*kernel)(const void*), const void* parameter, unsigned grid, unsigned threads, bool meets) {
    body = kernel;
    parameter_of_body = parameter;
    gridDim = {grid, 1, 1};
    std::vector<Fiber> fibers(meets ? threads : 0);
    for (unsigned block = 0; block < grid; ++block) {
        blockIdx = {block, 0, 0};
        if (meets) {
            run_fibers(fibers);
            continue;
        }
        for (unsigned thread = 0; thread < threads; ++thread) {
            threadIdx = {thread, 0, 0};
            kernel(parameter);
        }
    }
}

// Makes `run_NAME` of a kernel, whose parameter is of type P.
#define RUN(NAME, P, THREADS, MEETS)                                                                                                 \
    extern "C" void run_##NAME(const void* parameter, unsigned grid) {                                                                \
        run_grid([](const void* of) { NAME(*static_cast<const P*>(of)); }, parameter, grid, THREADS, MEETS);                           \
    }
