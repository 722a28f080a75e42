/* See inputs.h. Opcodes: pickletools.py of CPython. */
#include "tests/inject/inputs.h"

#include "tests/temp_dir.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST = 1 << 20, MANY = 1500 };

static struct {
    unsigned char bytes[MOST];
    size_t size;
} out;

static void put(const void *bytes, size_t size) {
    if (size <= MOST - out.size) {
        memcpy(out.bytes + out.size, bytes, size);
        out.size += size;
    }
}

/* Opcodes without a NUL among them. */
static void code(const char *opcodes) {
    put(opcodes, strlen(opcodes));
}

static void text(const char *words) {
    const unsigned char head[5] = {'X', (unsigned char)strlen(words)};
    put(head, sizeof(head));
    code(words);
}

/* Keep what is on the top of the stack at `index` of the memo, and take it from the stack. */
static void keep(unsigned char index) {
    put((const unsigned char[]){'q', index, '0'}, 3);
}

static void get(unsigned char index) {
    put((const unsigned char[]){'h', index}, 2);
}

static void begin(void) {
    out.size = 0;
    code("\x80\x02");
}

static bool end(const char *name) {
    code("u.");
    return out.size < MOST && temp_write(name, out.bytes, out.size);
}

static void name_of(int i) {
    char name[80];
    snprintf(name, sizeof(name), "a_model/of_long_names/in_one_of_its_blocks/layer_%d/weight", i);
    text(name);
}

static bool make_scalars(void) {
    begin();
    code("cnumpy.core.multiarray\nscalar\n");
    keep(0);
    code("cnumpy\ndtype\n");
    text("f4");
    code("\x85R");
    keep(1);
    code("}(");
    for (int i = 0; i < MANY; i++) {
        name_of(i);
        get(0);
        code("(");
        get(1);
        put("C\x04\0\0\x80?tR", 8);
    }
    return end("scalars.pkl");
}

static bool make_texts(void) {
    begin();
    code("cnumpy.core.numeric\n_frombuffer\n");
    keep(0);
    code("cnumpy\ndtype\n");
    text("i1");
    code("\x85R");
    keep(1);
    code("c_codecs\nencode\n");
    keep(2);
    code("}(");
    for (int i = 0; i < MANY / 4; i++) {
        char contents[201];
        memset(contents, 'a' + i % 26, 200);
        contents[200] = 0;
        name_of(i);
        get(0);
        code("(");
        get(2);
        text(contents);
        text("latin1");
        code("\x86R");
        get(1);
        code("K\xc8\x85"); /* (200,) */
        text("C");
        code("tR");
    }
    return end("texts.pkl");
}

static bool make_torch(void) {
    begin();
    code("ctorch._utils\n_rebuild_tensor_v2\n");
    keep(0);
    code("ctorch\nFloatStorage\n");
    keep(1);
    code("}(");
    for (int i = 0; i < MANY / 2; i++) {
        name_of(i);
        get(0);
        code("((");
        text("storage");
        get(1);
        name_of(i);
        text("cpu");
        put("K\x01tQK\0))\x89}tR", 12);
    }
    return end("torch.pkl");
}

/* A tensor of two numbers, behind a header of `size` bytes. */
static bool write_shard(const char *path, const char *header) {
    out.size = 0;
    put((const unsigned char[8]){(unsigned char)strlen(header)}, 8);
    code(header);
    put((const float[]){1, 2}, 2 * sizeof(float));
    return temp_write(path, out.bytes, out.size);
}

static bool make_folders(void) {
    static const char index[] =
        "{\"weight_map\": {\"a\": \"1.safetensors\", \"b\": \"2.safetensors\"}}";
    return mkdir(temp_path("sharded"), 0700) == 0 && mkdir(temp_path("single"), 0700) == 0 &&
           temp_write("sharded/model.safetensors.index.json", index, sizeof(index) - 1) &&
           write_shard("sharded/1.safetensors",
                       "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}") &&
           write_shard("sharded/2.safetensors",
                       "{\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} ") &&
           write_shard("single/weights.safetensors",
                       "{\"c\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}");
}

/* 8x8 pixels in patches of 4, 64 features, 10 classes; all weights are zero. */
static const struct {
    const char *name, *shape;
    int count;
} vit[] = {
    {"cls_token", "1,1,64", 64},
    {"pos_embed", "1,5,64", 320},
    {"patch_embed.proj.weight", "64,3,4,4", 3072},
    {"patch_embed.proj.bias", "64", 64},
    {"blocks.0.norm1.weight", "64", 64},
    {"blocks.0.norm1.bias", "64", 64},
    {"blocks.0.attn.qkv.weight", "192,64", 12288},
    {"blocks.0.attn.qkv.bias", "192", 192},
    {"blocks.0.attn.proj.weight", "64,64", 4096},
    {"blocks.0.attn.proj.bias", "64", 64},
    {"blocks.0.norm2.weight", "64", 64},
    {"blocks.0.norm2.bias", "64", 64},
    {"blocks.0.mlp.fc1.weight", "128,64", 8192},
    {"blocks.0.mlp.fc1.bias", "128", 128},
    {"blocks.0.mlp.fc2.weight", "64,128", 8192},
    {"blocks.0.mlp.fc2.bias", "64", 64},
    {"norm.weight", "64", 64},
    {"norm.bias", "64", 64},
    {"head.weight", "10,64", 640},
    {"head.bias", "10", 10},
};

static bool make_vit(void) {
    static const char config[] =
        "{\"architecture\": \"vit_tiny_patch16_224\", \"num_classes\": 10, "
        "\"model_args\": {\"num_heads\": 1}}";
    size_t at = 0;
    out.size = 8;
    for (size_t i = 0; i < sizeof(vit) / sizeof(vit[0]); i++) {
        char entry[200];
        size_t bytes = (size_t)vit[i].count * sizeof(float);
        snprintf(entry, sizeof(entry),
                 "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
                 i ? "," : "{", vit[i].name, vit[i].shape, at, at + bytes);
        code(entry);
        at += bytes;
    }
    /* An odd number of bytes: what follows is not aligned, and copied. */
    code(out.size % 2 ? "} " : "}");
    size_t length = out.size - 8;
    for (int i = 0; i < 8; i++) {
        out.bytes[i] = (unsigned char)(length >> (8 * i));
    }
    memset(out.bytes + out.size, 0, at);
    return mkdir(temp_path("vit"), 0700) == 0 &&
           temp_write("vit/config.json", config, sizeof(config) - 1) &&
           temp_write("vit/model.safetensors", out.bytes, out.size + at);
}

bool inputs_make(void) {
    return make_scalars() && make_texts() && make_torch() && make_folders() && make_vit();
}
