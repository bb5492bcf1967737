#include "x264_shim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x264.h>

enum { BT709 = 1, LENGTH_BYTES = 4 };

struct fp_x264 {
    x264_t *x264;
    int width_px;
    int64_t next_pts;
    char message[256];
};

static void keep_message(void *private, int level, const char *format, va_list args)
{
    fp_x264 *encoder = private;
    (void)level;
    vsnprintf(encoder->message, sizeof encoder->message, format, args);
    encoder->message[strcspn(encoder->message, "\n")] = '\0';
}

static int configure(x264_param_t *param, const fp_x264_settings *settings, fp_x264 *encoder)
{
    if (x264_param_default_preset(param, "medium", NULL) < 0)
        return -1;
    param->pf_log = keep_message;
    param->p_log_private = encoder;
    param->i_log_level = X264_LOG_ERROR;

    param->i_csp = X264_CSP_I420;
    param->i_width = settings->width_px;
    param->i_height = settings->height_px;
    param->i_fps_num = (uint32_t)settings->fps;
    param->i_fps_den = 1;
    param->i_timebase_num = 1;
    param->i_timebase_den = (uint32_t)settings->fps;
    param->b_vfr_input = 0;

    param->rc.i_rc_method = X264_RC_CRF;
    param->rc.f_rf_constant = (float)settings->crf;
    param->i_threads = settings->threads;
    param->b_deterministic = 1;
    /* The AVX-512 code of libx264 164 reads memory that nobody has written: the same frames give other bits each time. */
    param->cpu &= ~X264_CPU_AVX512;

    param->vui.i_sar_width = param->vui.i_sar_height = 1;
    param->vui.b_fullrange = 0;
    param->vui.i_colorprim = BT709;
    param->vui.i_transfer = BT709;
    param->vui.i_colmatrix = BT709;

    /* What an mp4 wants: parameter sets apart, lengths instead of start codes. */
    param->b_repeat_headers = 0;
    param->b_annexb = 0;

    /* Lossless exists only in the High 4:4:4 Predictive profile, which libx264 then takes by itself. */
    return settings->crf == 0 ? 0 : x264_param_apply_profile(param, "high");
}

fp_x264 *fp_x264_open(const fp_x264_settings *settings, char *error, size_t error_len)
{
    fp_x264 *encoder = calloc(1, sizeof *encoder);
    x264_param_t param;

    error[0] = '\0';
    if (!encoder)
        return NULL;
    encoder->width_px = settings->width_px;
    if (configure(&param, settings, encoder) == 0)
        encoder->x264 = x264_encoder_open(&param);
    if (!encoder->x264) {
        snprintf(error, error_len, "%s", encoder->message);
        free(encoder);
        return NULL;
    }
    return encoder;
}

int32_t fp_x264_headers(fp_x264 *encoder, const uint8_t **sps, size_t *sps_len, const uint8_t **pps, size_t *pps_len)
{
    x264_nal_t *nals;
    int count;

    *sps = *pps = NULL;
    if (x264_encoder_headers(encoder->x264, &nals, &count) < 0)
        return -1;
    for (int i = 0; i < count; i++) {
        if (nals[i].i_type == NAL_SPS) {
            *sps = nals[i].p_payload + LENGTH_BYTES;
            *sps_len = (size_t)nals[i].i_payload - LENGTH_BYTES;
        } else if (nals[i].i_type == NAL_PPS) {
            *pps = nals[i].p_payload + LENGTH_BYTES;
            *pps_len = (size_t)nals[i].i_payload - LENGTH_BYTES;
        }
    }
    return *sps && *pps ? 0 : -1;
}

int32_t fp_x264_encode(fp_x264 *encoder, const uint8_t *y, const uint8_t *u, const uint8_t *v, fp_x264_packet *packet)
{
    x264_picture_t in, out;
    x264_nal_t *nals;
    int count, bytes;

    x264_picture_init(&in);
    if (y) {
        in.i_pts = encoder->next_pts++;
        in.img.i_csp = X264_CSP_I420;
        in.img.i_plane = 3;
        in.img.i_stride[0] = encoder->width_px;
        in.img.i_stride[1] = in.img.i_stride[2] = encoder->width_px / 2;
        /* libx264 copies the planes and does not write to them. */
        in.img.plane[0] = (uint8_t *)y;
        in.img.plane[1] = (uint8_t *)u;
        in.img.plane[2] = (uint8_t *)v;
    }
    bytes = x264_encoder_encode(encoder->x264, &nals, &count, y ? &in : NULL, &out);
    if (bytes <= 0)
        return bytes < 0 ? -1 : 0;

    packet->bytes = nals[0].p_payload; /* the payloads of one call follow each other in memory */
    packet->len = (size_t)bytes;
    packet->pts_frames = out.i_pts;
    packet->dts_frames = out.i_dts;
    packet->keyframe = out.b_keyframe;
    return 1;
}

int32_t fp_x264_delayed_frames(fp_x264 *encoder)
{
    return x264_encoder_delayed_frames(encoder->x264);
}

const char *fp_x264_message(const fp_x264 *encoder)
{
    return encoder->message;
}

void fp_x264_close(fp_x264 *encoder)
{
    x264_encoder_close(encoder->x264);
    free(encoder);
}
