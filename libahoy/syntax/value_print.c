/* What the printers of values share: white space, parameters and URIs in one spelling. */
#include "libahoy/syntax/params.h"
#include "libahoy/syntax/scan.h"
#include "libahoy/syntax/value_forms.h"

static struct span drop(struct span run)
{
    return ahoy_nothing(run.at);
}

static struct span make_space(struct span run)
{
    (void)run; /* However long it is. */
    return SPAN(" ");
}

/* A fold means one space (7.3.1). */
static struct span unfold(struct span run)
{
    bool is_folded = ahoy_skip(run.at, ahoy_span_end(run), AHOY_WSP) != ahoy_span_end(run);
    return is_folded ? SPAN(" ") : run;
}

/* Copies |text|; |replace| says what stands in the place of a run of white space. */
static void print_runs(struct span text, struct span (*replace)(struct span run),
                       struct ahoy_buf *buf)
{
    const char *end = ahoy_span_end(text);
    for (const char *at = text.at; at < end;) {
        const char *white = ahoy_seek(at, end, AHOY_LWS);
        ahoy_buf_put(buf, ahoy_span_between(at, white));
        at = ahoy_skip(white, end, AHOY_LWS);
        if (at > white)
            ahoy_buf_put(buf, replace(ahoy_span_between(white, at)));
    }
}

void ahoy_print_packed(struct span text, struct ahoy_buf *buf)
{
    print_runs(text, drop, buf);
}

void ahoy_print_words(struct span text, struct ahoy_buf *buf)
{
    print_runs(text, make_space, buf);
}

void ahoy_print_unfolded(struct span text, struct ahoy_buf *buf)
{
    print_runs(text, unfold, buf);
}

void ahoy_print_params(struct span params, struct ahoy_buf *buf)
{
    struct ahoy_param param;
    while (ahoy_param_next(&params, &param, NULL)) {
        ahoy_buf_put_byte(buf, ';');
        ahoy_buf_put(buf, param.name);
        if (param.has_value)
            ahoy_buf_put_byte(buf, '=');
        ahoy_print_unfolded(param.value, buf);
    }
}

void ahoy_print_lower(struct span text, struct ahoy_buf *buf)
{
    for (size_t i = 0; i < text.size; i++)
        ahoy_buf_put_byte(buf, ahoy_lower(text.at[i]));
}

void ahoy_print_uri(const struct ahoy_uri *uri, struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, ahoy_span_between(uri->text.at, uri->host.at));
    ahoy_print_lower(uri->host, buf);
    ahoy_buf_put(buf, ahoy_span_between(ahoy_span_end(uri->host), ahoy_span_end(uri->text)));
}

void ahoy_value_print_word(const struct ahoy_value *value, struct ahoy_buf *buf)
{
    ahoy_print_packed(value->head, buf);
    ahoy_print_params(value->params, buf);
}

void ahoy_value_print_text(const struct ahoy_value *value, struct ahoy_buf *buf)
{
    ahoy_print_unfolded(value->text, buf);
}
