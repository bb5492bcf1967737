// What the VAE does between its convolutions, on frames of (T, H, W, C) in a row: each tensor is read once and written
// once. The types A, B and OUT are f32, f16 or bf16; N is how many adjacent channels a thread takes.

// Mean and sum of squared differences from it, by channel.
struct Moments {
  float mean, squares;
};

// Those of two sets of numbers (Chan, Golub, LeVeque: Updating formulae, 1979).
__device__ inline Moments joined(Moments a, float a_count, Moments b, float b_count) {
  const float count = a_count + b_count;
  if (count == 0.0f) {
    return a;
  }
  const float difference = b.mean - a.mean;
  const float share = b_count / count;
  return {a.mean + difference * share, a.squares + b.squares + difference * difference * a_count * share};
}

// What a thread has seen of its channels, about the first number of each.
struct Seen {
  float first[N], sum[N], squares[N];
  int count = 0;

  __device__ void add(const float x[N]) {
    if (count == 0) {
      for (int i = 0; i < N; ++i) {
        first[i] = x[i];
        sum[i] = squares[i] = 0.0f;
      }
    }
    for (int i = 0; i < N; ++i) {
      const float difference = x[i] - first[i];
      sum[i] += difference;
      squares[i] += difference * difference;
    }
    ++count;
  }
};

// Writes counts, means and sums of squares of this block, (3, channels). The order of additions is always the same.
__device__ void write_moments(const Seen &seen, float *moments, int channels, int lane, int lanes, int channel) {
  extern __shared__ Moments shared[]; // (lanes, channels), and counts of the lanes
  float *counts = reinterpret_cast<float *>(shared + lanes * channels);
  for (int i = 0; i < N; ++i) {
    const float mean = seen.count == 0 ? 0.0f : seen.sum[i] / seen.count;
    const float squares = seen.count == 0 ? 0.0f : seen.squares[i] - seen.sum[i] * mean;
    shared[lane * channels + channel + i] = {seen.count == 0 ? 0.0f : seen.first[i] + mean, squares};
  }
  if (channel == 0) {
    counts[lane] = seen.count;
  }
  __syncthreads();
  float *block = moments + 3L * blockIdx.x * channels;
  for (int c = threadIdx.x; c < channels; c += blockDim.x) {
    Moments all = shared[c];
    float count = counts[0];
    for (int other = 1; other < lanes; ++other) {
      all = joined(all, count, shared[other * channels + c], counts[other]);
      count += counts[other];
    }
    block[c] = count;
    block[channels + c] = all.mean;
    block[2 * channels + c] = all.squares;
  }
}

// out = a + b + bias, and its moments; b and out may be null, and out may be a or b. Each block takes so many positions.
extern "C" __global__ void add(const A *a, const B *b, const float *bias, OUT *out, float *moments, int positions,
                               int channels, int positions_per_block) {
  const int vectors = channels / N, lanes = blockDim.x / vectors;
  const int lane = threadIdx.x / vectors, channel = threadIdx.x % vectors * N;
  const long end = min(long(positions), (blockIdx.x + 1L) * positions_per_block);
  float biases[N];
  for (int i = 0; i < N; ++i) {
    biases[i] = bias[channel + i];
  }
  Seen seen;
  for (long position = long(blockIdx.x) * positions_per_block + lane; position < end; position += lanes) {
    const long at = position * channels + channel;
    const Vector<A> from = load(a + at);
    float x[N];
    for (int i = 0; i < N; ++i) {
      x[i] = value(from.at[i]) + biases[i];
    }
    if (b != nullptr) {
      const Vector<B> other = load(b + at);
      for (int i = 0; i < N; ++i) {
        x[i] += value(other.at[i]);
      }
    }
    if (out != nullptr) {
      Vector<OUT> rounded;
      for (int i = 0; i < N; ++i) {
        round_to(rounded.at[i], x[i]);
        x[i] = value(rounded.at[i]);
      }
      store(out + at, rounded);
    }
    seen.add(x);
  }
  write_moments(seen, moments, channels, lane, lanes, channel);
}

// Where a number of an upsampled frame is in what the convolution of all phases made.
struct Phases {
  // Of the frames before upsampling.
  int height, width;
  // 2 where time is doubled.
  int time_factor;
  // Number of the first frame in `out`, and of the first frame of the convolution's input; the first frame of all is 0,
  // and is one frame after upsampling, too.
  int first_frame, first_input;
};

// The frames that belong to a convolution's phases, with its bias, and their moments.
extern "C" __global__ void interleave(const A *phases, const float *bias, OUT *out, float *moments, int positions,
                                      int channels, int positions_per_block, Phases of) {
  const int vectors = channels / N, lanes = blockDim.x / vectors;
  const int lane = threadIdx.x / vectors, channel = threadIdx.x % vectors * N;
  const int end = min(long(positions), (blockIdx.x + 1L) * positions_per_block);
  const int out_width = 2 * of.width, out_frame = out_width * 2 * of.height;
  const long all_phases = 4L * of.time_factor * channels;
  float biases[N];
  for (int i = 0; i < N; ++i) {
    biases[i] = bias[channel + i];
  }
  Seen seen;
  for (int position = blockIdx.x * positions_per_block + lane; position < end; position += lanes) {
    const int frame = position / out_frame, in_frame = position - frame * out_frame;
    const int row = in_frame / out_width, column = in_frame - row * out_width;
    const int number = of.first_frame + frame;
    const int input = of.time_factor == 2 ? (number + 1) / 2 : number;
    const int time_phase = of.time_factor == 2 ? number & 1 : 0;
    const int row_phase = row & 1, column_phase = column & 1;
    const long window = (long(input - of.first_input) * (of.height + 1) + row / 2 + row_phase) * (of.width + 1) +
                        column / 2 + column_phase;
    const int phase = (time_phase * 2 + row_phase) * 2 + column_phase;
    const Vector<A> from = load(phases + window * all_phases + phase * channels + channel);
    float x[N];
    Vector<OUT> rounded;
    for (int i = 0; i < N; ++i) {
      round_to(rounded.at[i], value(from.at[i]) + biases[i]);
      x[i] = value(rounded.at[i]);
    }
    store(out + long(position) * channels + channel, rounded);
    seen.add(x);
  }
  write_moments(seen, moments, channels, lane, lanes, channel);
}

// Adds up what the threads of a block have, in an order that is always the same.
__device__ double block_sum(double x) {
  __shared__ double sums[256];
  sums[threadIdx.x] = x;
  __syncthreads();
  for (int half = blockDim.x / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) {
      sums[threadIdx.x] += sums[threadIdx.x + half];
    }
    __syncthreads();
  }
  const double sum = sums[0];
  __syncthreads();
  return sum;
}

// What a group norm comes to by channel. A block takes a group; `moments` are (parts, 3, channels). `added` may be null: it
// is in the moments, and not in what is scaled.
extern "C" __global__ void scaling(const float *moments, const A *weight, const B *bias, const float *added, float *scale,
                                   float *shift, int parts, int channels, int per_group, double eps) {
  const int first = blockIdx.x * per_group, values = parts * per_group;
  double count = 0.0, sum = 0.0;
  for (int i = threadIdx.x; i < values; i += blockDim.x) {
    const float *part = moments + 3L * (i / per_group) * channels + first + i % per_group;
    count += part[0];
    sum += double(part[0]) * part[channels];
  }
  count = block_sum(count);
  const double mean = block_sum(sum) / count;
  double squares = 0.0;
  for (int i = threadIdx.x; i < values; i += blockDim.x) {
    const float *part = moments + 3L * (i / per_group) * channels + first + i % per_group;
    const double apart = part[channels] - mean;
    squares += part[2 * channels] + part[0] * apart * apart;
  }
  const double deviation = sqrt(block_sum(squares) / count + eps);
  for (int c = first + threadIdx.x; c < first + per_group; c += blockDim.x) {
    const double factor = value(weight[c]) / deviation;
    const double more = added == nullptr ? 0.0 : added[c];
    scale[c] = factor;
    shift[c] = value(bias[c]) + (more - mean) * factor;
  }
}

__device__ inline float silu(float x) {
  if (sizeof(OUT) < sizeof(float)) {
    return __fdividef(x, 1.0f + __expf(-x));
  }
  return x / (1.0f + expf(-x));
}

// Frames from `first` on, with their edges repeated by one position, after norm and SiLU where there is a `scale`. Frames
// before the first one of all come from `past`, which has edges and is finished, or are copies of frame 0.
// A block takes part of a row; there are as many rows of blocks as rows with edges, and layers as frames.
extern "C" __global__ void padded(const A *x, const OUT *past, const float *scale, const float *shift, OUT *out,
                                  int first, int past_frames, int height, int width, int channels) {
  const int vectors = channels / N;
  const int vector = blockIdx.x * blockDim.x + threadIdx.x;
  if (vector >= (width + 2) * vectors) {
    return;
  }
  const int column = vector / vectors, channel = (vector - column * vectors) * N;
  const int row = blockIdx.y, frame = first + int(blockIdx.z);
  const long row_length = long(width + 2) * channels, at = long(vector) * N;
  OUT *to = out + (long(blockIdx.z) * (height + 2) + row) * row_length + at;
  if (frame < 0 && past != nullptr) {
    store(to, load(past + (long(frame + past_frames) * (height + 2) + row) * row_length + at));
    return;
  }
  const int from_row = min(max(row - 1, 0), height - 1), from_column = min(max(column - 1, 0), width - 1);
  const long position = (long(max(frame, 0)) * height + from_row) * width + from_column;
  const Vector<A> from = load(x + position * channels + channel);
  Vector<OUT> rounded;
  for (int i = 0; i < N; ++i) {
    float y = value(from.at[i]);
    if (scale != nullptr) {
      y = silu(y * scale[channel + i] + shift[channel + i]);
    }
    round_to(rounded.at[i], y);
  }
  store(to, rounded);
}
