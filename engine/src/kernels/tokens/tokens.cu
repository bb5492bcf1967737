// What the transformer does between its matrix products, on tokens of (L, channels) in a row: each tensor is read once and
// written once, and rounded once. T is the type; N is how many adjacent channels a thread takes, PER how many such vectors.

// Most threads of a block of the first three, which go through one token.
constexpr int MOST_WARPS = 8;

__device__ inline float sum_of_block(float x) {
  __shared__ float of_warps[MOST_WARPS];
  for (int apart = 16; apart > 0; apart /= 2) {
    x += __shfl_xor_sync(0xffffffffu, x, apart);
  }
  __syncthreads(); // of_warps may still be read for the sum before
  if (threadIdx.x % 32 == 0) {
    of_warps[threadIdx.x / 32] = x;
  }
  __syncthreads();
  float sum = 0.0f;
  for (int warp = 0; warp < blockDim.x / 32; ++warp) {
    sum += of_warps[warp];
  }
  return sum;
}

// A token's channels, as far as this thread takes them.
struct Row {
  float at[PER][N];
};

// The norm of a row without weights, scaled and shifted, each in f32.
__device__ inline void write_modulated(Row &row, const T *shift, const T *scale, T *out, int channels, float eps) {
  const int vectors = channels / N;
  float sum = 0.0f;
  for (int i = 0; i < PER; ++i) {
    for (int j = 0; j < N; ++j) {
      sum += row.at[i][j]; // zero beyond the row
    }
  }
  const float mean = sum_of_block(sum) / channels;
  float squares = 0.0f;
  for (int i = 0; i < PER; ++i) {
    if (threadIdx.x + i * blockDim.x < vectors) {
      for (int j = 0; j < N; ++j) {
        row.at[i][j] -= mean;
        squares += row.at[i][j] * row.at[i][j];
      }
    }
  }
  const float factor = rsqrtf(sum_of_block(squares) / channels + eps);
  for (int i = 0; i < PER; ++i) {
    const int vector = threadIdx.x + i * blockDim.x;
    if (vector < vectors) {
      const Vector<T> shifts = load(shift + vector * N), scales = load(scale + vector * N);
      Vector<T> rounded;
      for (int j = 0; j < N; ++j) {
        round_to(rounded.at[j], row.at[i][j] * factor * (1.0f + value(scales.at[j])) + value(shifts.at[j]));
      }
      store(out + vector * N, rounded);
    }
  }
}

// out = norm(x) * (1 + scale) + shift
extern "C" __global__ void modulated_norm(const T *x, const T *shift, const T *scale, T *out, int channels, double eps) {
  const long token = long(blockIdx.x) * channels;
  Row row;
  for (int i = 0; i < PER; ++i) {
    const int vector = threadIdx.x + i * blockDim.x;
    if (vector < channels / N) {
      const Vector<T> numbers = load(x + token + vector * N);
      for (int j = 0; j < N; ++j) {
        row.at[i][j] = value(numbers.at[j]);
      }
    } else {
      for (int j = 0; j < N; ++j) {
        row.at[i][j] = 0.0f;
      }
    }
  }
  write_modulated(row, shift, scale, out + token, channels, float(eps));
}

// sum = x + y * gate, rounded; out = norm(sum) * (1 + scale) + shift
extern "C" __global__ void add_gated_norm(const T *x, const T *y, const T *gate, const T *shift, const T *scale, T *sum,
                                          T *out, int channels, double eps) {
  const long token = long(blockIdx.x) * channels;
  Row row;
  for (int i = 0; i < PER; ++i) {
    const int vector = threadIdx.x + i * blockDim.x;
    if (vector < channels / N) {
      const Vector<T> xs = load(x + token + vector * N), ys = load(y + token + vector * N), gates = load(gate + vector * N);
      Vector<T> rounded;
      for (int j = 0; j < N; ++j) {
        round_to(rounded.at[j], value(xs.at[j]) + value(ys.at[j]) * value(gates.at[j]));
        row.at[i][j] = value(rounded.at[j]);
      }
      store(sum + token + vector * N, rounded);
    } else {
      for (int j = 0; j < N; ++j) {
        row.at[i][j] = 0.0f;
      }
    }
  }
  write_modulated(row, shift, scale, out + token, channels, float(eps));
}

// out = x + y * gate
extern "C" __global__ void add_gated(const T *x, const T *y, const T *gate, T *out, int channels) {
  const long token = long(blockIdx.x) * channels;
  for (int vector = threadIdx.x; vector < channels / N; vector += blockDim.x) {
    const Vector<T> xs = load(x + token + vector * N), ys = load(y + token + vector * N), gates = load(gate + vector * N);
    Vector<T> rounded;
    for (int j = 0; j < N; ++j) {
      round_to(rounded.at[j], value(xs.at[j]) + value(ys.at[j]) * value(gates.at[j]));
    }
    store(out + token + vector * N, rounded);
  }
}

// Queries and keys of a token, (heads, HEAD_DIM) each, in their place: each head divided by its root mean square and
// weighted; then, of the first `rotated` tokens, pairs of adjacent channels are rotated. LANES threads share a head.
extern "C" __global__ void norm_rotate(T *queries, T *keys, const T *query_weight, const T *key_weight, const float *cosines,
                                       const float *sines, int rotated, int heads, double eps) {
  const int lane = threadIdx.x % LANES;
  const bool has_channels = lane * N < HEAD_DIM;
  const unsigned neighbours = (LANES == 32 ? ~0u : (1u << LANES) - 1) << (threadIdx.x % 32 / LANES * LANES);
  const bool turns = blockIdx.x < rotated && has_channels;
  float cosine[N], sine[N];
  if (turns) {
    const long at = long(blockIdx.x) * HEAD_DIM + lane * N;
    const Vector<float> c = load(cosines + at), s = load(sines + at);
    for (int j = 0; j < N; ++j) {
      cosine[j] = c.at[j];
      sine[j] = s.at[j];
    }
  }
  for (int head = threadIdx.x / LANES; head < 2 * heads; head += blockDim.x / LANES) {
    const bool is_query = head < heads;
    T *numbers = (is_query ? queries : keys) + (long(blockIdx.x) * heads + (is_query ? head : head - heads)) * HEAD_DIM + lane * N;
    float x[N];
    float squares = 0.0f;
    if (has_channels) {
      const Vector<T> stored = load(numbers);
      for (int j = 0; j < N; ++j) {
        x[j] = value(stored.at[j]);
        squares += x[j] * x[j];
      }
    }
    for (int apart = LANES / 2; apart > 0; apart /= 2) {
      squares += __shfl_xor_sync(neighbours, squares, apart);
    }
    if (!has_channels) {
      continue;
    }
    const float factor = rsqrtf(squares / HEAD_DIM + float(eps));
    const Vector<T> weights = load((is_query ? query_weight : key_weight) + lane * N);
    for (int j = 0; j < N; ++j) {
      x[j] *= factor * value(weights.at[j]);
    }
    Vector<T> rounded;
    for (int j = 0; j < N; j += 2) {
      const float a = x[j], b = x[j + 1];
      round_to(rounded.at[j], turns ? a * cosine[j] - b * sine[j] : a);
      round_to(rounded.at[j + 1], turns ? b * cosine[j + 1] + a * sine[j + 1] : b);
    }
    store(numbers, rounded);
  }
}

// What the queries of a token get of two sets of keys, (heads, HEAD_DIM) each, joined in `a`, with the logarithms of their
// sums of exponentials, (heads, L). LANES threads share a head.
extern "C" __global__ void join_attended(T *a, const T *b, const float *a_logarithms, const float *b_logarithms, int heads) {
  const int lane = threadIdx.x % LANES;
  if (lane * N >= HEAD_DIM) {
    return;
  }
  for (int head = threadIdx.x / LANES; head < heads; head += blockDim.x / LANES) {
    const long of_head = long(head) * gridDim.x + blockIdx.x;
    const float share = 1.0f / (1.0f + expf(b_logarithms[of_head] - a_logarithms[of_head]));
    const long at = (long(blockIdx.x) * heads + head) * HEAD_DIM + lane * N;
    const Vector<T> as = load(a + at), bs = load(b + at);
    Vector<T> rounded;
    for (int j = 0; j < N; ++j) {
      round_to(rounded.at[j], value(bs.at[j]) + (value(as.at[j]) - value(bs.at[j])) * share);
    }
    store(a + at, rounded);
  }
}
