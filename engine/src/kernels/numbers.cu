// Numbers in memory and in registers, for all sources. The types are f32, f16 and bf16; N is how many adjacent channels
// a thread takes.

struct f16 { unsigned short bits; };
struct bf16 { unsigned short bits; };
typedef float f32;

__device__ inline float value(f32 x) { return x; }
__device__ inline float value(f16 x) {
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
  return y;
}
__device__ inline float value(bf16 x) { return __uint_as_float(unsigned(x.bits) << 16); }

__device__ inline void round_to(f32 &y, float x) { y = x; }
__device__ inline void round_to(f16 &y, float x) { asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x)); }
__device__ inline void round_to(bf16 &y, float x) { asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y.bits) : "f"(x)); }

template <typename T> struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) Vector { T at[N]; };

template <typename T> __device__ inline Vector<T> load(const T *x) { return *reinterpret_cast<const Vector<T> *>(x); }
template <typename T> __device__ inline void store(T *y, const Vector<T> &x) { *reinterpret_cast<Vector<T> *>(y) = x; }
