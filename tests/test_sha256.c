/* SHA-256 against the examples NIST publishes with FIPS 180-4. */
#include "loaders/sha256.h"
#include "tests/check.h"

#include <string.h>

static void sha256__nist_one_block__abc(void) {
    CHECK_STR(fovea_sha256_text("abc", 3).text,
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void sha256__empty__is_the_known_digest(void) {
    CHECK_STR(fovea_sha256_text(NULL, 0).text,
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void sha256__nist_two_blocks__56_bytes(void) {
    const char *text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    CHECK_STR(fovea_sha256_text(text, strlen(text)).text,
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void sha256__nist_112_bytes__pads_into_a_block_of_its_own(void) {
    const char *text = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                       "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
    CHECK_STR(fovea_sha256_text(text, strlen(text)).text,
              "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

static void sha256__nist_a_million__in_odd_pieces(void) {
    char piece[997];
    struct fovea_sha256 sha;
    memset(piece, 'a', sizeof(piece));
    fovea_sha256_init(&sha);
    for (size_t left = 1000000; left > 0;) {
        size_t taken = left < sizeof(piece) ? left : sizeof(piece);
        fovea_sha256_update(&sha, piece, taken);
        left -= taken;
    }
    CHECK_STR(fovea_sha256_digest_text(&sha).text,
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* Every way of cutting a message in two gives the digest of the whole. */
static void sha256__any_cut__does_not_matter(void) {
    char text[200];
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (char)(i * 7);
    }
    for (size_t size = 0; size < sizeof(text); size += 13) {
        struct fovea_sha256_hex whole = fovea_sha256_text(text, size);
        for (size_t cut = 0; cut <= size; cut++) {
            struct fovea_sha256 sha;
            fovea_sha256_init(&sha);
            fovea_sha256_update(&sha, text, cut);
            fovea_sha256_update(&sha, text + cut, size - cut);
            CHECK(strcmp(fovea_sha256_digest_text(&sha).text, whole.text) == 0);
        }
    }
}

/* With the CPU's instructions, where it has them, and without: the same. */
static void sha256__plain_c__equals_the_instructions(void) {
    uint8_t text[1000];
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (uint8_t)(i * i);
    }
    for (size_t size = 0; size < sizeof(text); size += 37) {
        struct fovea_sha256 sha;
        fovea_sha256_init(&sha);
        sha.plain = true;
        fovea_sha256_update(&sha, text, size);
        CHECK_STR(fovea_sha256_digest_text(&sha).text, fovea_sha256_text(text, size).text);
    }
}

static const struct test tests[] = {
    TEST(sha256__nist_one_block__abc),
    TEST(sha256__empty__is_the_known_digest),
    TEST(sha256__nist_two_blocks__56_bytes),
    TEST(sha256__nist_112_bytes__pads_into_a_block_of_its_own),
    TEST(sha256__nist_a_million__in_odd_pieces),
    TEST(sha256__any_cut__does_not_matter),
    TEST(sha256__plain_c__equals_the_instructions),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
