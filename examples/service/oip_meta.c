/*
 * Metadata and health.
 */
#include "oip_meta.h"

#include <string.h>

void oip_meta_server(struct reply *reply) {
    text_printf(&reply->body,
                "{\"name\":\"fovea\",\"version\":\"%s\",\"extensions\":[\"binary_tensor_data\","
                "\"classification\"]}\n",
                fovea_version());
    reply->status = 200;
}

void oip_meta_live(struct reply *reply) {
    text_puts(&reply->body, "{\"live\":true}\n");
    reply->status = 200;
}

void oip_meta_ready(struct reply *reply, bool ready) {
    text_printf(&reply->body, "{\"ready\":%s}\n", ready ? "true" : "false");
    reply->status = ready ? 200 : 503;
}

void oip_meta_model(struct reply *reply, const struct engine *engine, const char *name) {
    struct text *body = &reply->body;
    const char *input = engine_input_name(engine), *output = engine_output_name(engine);
    int batch = engine_fixed_batch(engine) ? (int)engine_max_batch(engine) : -1;
    text_puts(body, "{\"name\":");
    text_json(body, name, strlen(name));
    text_puts(body, ",\"versions\":[\"1\"],\"platform\":\"fovea\",\"inputs\":[{\"name\":");
    text_json(body, input, strlen(input));
    text_printf(body,
                ",\"datatype\":\"FP32\",\"shape\":[%d,3,%d,%d]}],\"outputs\":[{\"name\":", batch,
                engine_height(engine), engine_width(engine));
    text_json(body, output, strlen(output));
    text_printf(body, ",\"datatype\":\"FP32\",\"shape\":[%d,%zu]}]}\n", batch,
                engine_classes(engine));
    reply->status = 200;
}

void oip_meta_model_ready(struct reply *reply, const char *name, bool ready) {
    text_puts(&reply->body, "{\"name\":");
    text_json(&reply->body, name, strlen(name));
    text_printf(&reply->body, ",\"ready\":%s}\n", ready ? "true" : "false");
    reply->status = ready ? 200 : 503;
}
