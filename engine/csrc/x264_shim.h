/* The part of libx264 that the engine uses, without its large structs: Rust sees only plain integers and pointers. */
#ifndef FP_X264_SHIM_H
#define FP_X264_SHIM_H

#include <stddef.h>
#include <stdint.h>

typedef struct fp_x264 fp_x264;

typedef struct {
    int32_t width_px; /* even */
    int32_t height_px; /* even */
    int32_t fps;
    int32_t crf; /* 0 (lossless) to 51 */
    int32_t threads;
} fp_x264_settings;

/* One coded frame. Its bytes belong to the encoder and live until its next call. */
typedef struct {
    const uint8_t *bytes; /* NAL units, each behind its length in 4 bytes, big-endian */
    size_t len;
    int64_t pts_frames;
    int64_t dts_frames; /* negative for the first frames where B-frames are used */
    int32_t keyframe;
} fp_x264_packet;

/* NULL on failure. `error` (of `error_len` bytes, at least 1) then holds the last message of libx264. */
fp_x264 *fp_x264_open(const fp_x264_settings *settings, char *error, size_t error_len);

/* Sequence and picture parameter set without start code or length, alive until the next call. 0, or -1 on failure. */
int32_t fp_x264_headers(fp_x264 *encoder, const uint8_t **sps, size_t *sps_len, const uint8_t **pps, size_t *pps_len);

/* Encodes a frame of 4:2:0 planes without padding; with y == NULL, drains a delayed one.
 * 1: `packet` is filled. 0: there is none (yet). -1: failure. */
int32_t fp_x264_encode(fp_x264 *encoder, const uint8_t *y, const uint8_t *u, const uint8_t *v, fp_x264_packet *packet);

/* Frames taken and not yet returned. */
int32_t fp_x264_delayed_frames(fp_x264 *encoder);

/* The last message of libx264, empty when there was none. */
const char *fp_x264_message(const fp_x264 *encoder);

void fp_x264_close(fp_x264 *encoder);

#endif
