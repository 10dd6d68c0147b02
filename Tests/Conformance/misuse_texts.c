#include "misuse.h"

/* What is written for a person: to no place, with no length that can be, in no format that there is. */
void wrong_texts(void)
{
    char text[8] = "text";
    tlsmem_trace_info piece = { .size = sizeof piece };
    tlsmem_ctx *const none = NULL, *ctx = context(TLSMEM_CLIENT, 0);
    tlsmem *c = connection(ctx, NULL, NULL);
    tlsmem_loop *loop = new_loop();
    situation("texts");
    CHECK_STATUS(tlsmem_explain(c, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_explain(c, text, SIZE_MAX), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_loop_explain(loop, NULL, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_trace(c, NULL, TLSMEM_TRACE_AS_TEXT, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_trace(c, &piece, TLSMEM_TRACE_AS_TEXT, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_trace(c, &piece, TLSMEM_TRACE_AS_TEXT, text, SIZE_MAX), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_trace(c, &piece, (tlsmem_trace_format)0, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_trace(c, &piece, (tlsmem_trace_format)3, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_metrics(&ctx, NULL, 0, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_metrics(&none, NULL, 1, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_metrics(&ctx, NULL, SIZE_MAX, text, sizeof text), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_metrics(&ctx, NULL, 1, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_metrics(&ctx, NULL, 1, text, SIZE_MAX), TLSMEM_EINVAL);
    CHECK(strcmp(text, "text") == 0, "it was written to: %s", text);
    CHECK(tlsmem_trace(c, &piece, TLSMEM_TRACE_AS_JSON, NULL, 0) > 0, "a piece without a name has no line");
    tlsmem_free(c), tlsmem_ctx_free(ctx), tlsmem_loop_free(loop);
}
