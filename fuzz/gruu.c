/* The user part of a temporary GRUU: whatever a stranger writes, none fits but one that we wrote,
 * and that one for what it was written for alone.  The input is a token; or, behind a "*", a name
 * that one is made for. */
#include "ahoyd/gruu_token.h"
#include "fuzz/target.h"

static const struct ahoy_hash_key key = { { 1, 2 } };

static struct ahoyd_gruu_target target_of(struct span name)
{
    return (struct ahoyd_gruu_target){
        .name = name, .domain = SPAN("b.example"), .instance = SPAN("<urn:x>"), .era_ms = 5
    };
}

/* What we write opens, and fits what it was written for. */
static void print(struct span name)
{
    char space[AHOYD_GRUU_TOKEN_SIZE], shown[AHOYD_GRUU_NAME_LIMIT];
    struct ahoy_buf token = ahoy_buf_over(space, sizeof space);
    struct ahoy_buf back = ahoy_buf_over(shown, sizeof shown);
    struct ahoyd_gruu_target target = target_of(name);
    if (!ahoyd_gruu_token_print(&key, 7, &target, &token)) {
        MUST(name.size == 0 || name.size > AHOYD_GRUU_NAME_LIMIT);
        return;
    }
    MUST(!token.overflow && token.size == AHOYD_GRUU_TOKEN_SIZE);
    bool is_plain = memchr(name.at, '\0', name.size) == NULL; /* As all names are. */
    MUST(ahoyd_gruu_token_open(&key, ahoy_buf_text(&token), &back) || !is_plain);
    MUST(ahoy_span_equal(ahoy_buf_text(&back), name) || !is_plain);
    MUST(ahoyd_gruu_token_fits(&key, ahoy_buf_text(&token), &target) == is_plain);
    target.era_ms++;
    MUST(!ahoyd_gruu_token_fits(&key, ahoy_buf_text(&token), &target));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = { (const char *)data, size };
    char shown[AHOYD_GRUU_NAME_LIMIT];
    struct ahoy_buf name = ahoy_buf_over(shown, sizeof shown);
    if (size > 0 && data[0] == '*') {
        print(ahoy_span_after(text, 1));
        return 0;
    }
    bool opens = ahoyd_gruu_token_open(&key, text, &name);
    MUST(!opens || (size == AHOYD_GRUU_TOKEN_SIZE && name.size > 0 && !name.overflow));
    const struct ahoyd_gruu_target target = target_of(ahoy_buf_text(&name));
    MUST(!ahoyd_gruu_token_fits(&key, text, &target)); /* Or 2^64 were tried. */
    return 0;
}
