/* A tiny proxy: forwards whatever comes to one server, statefully (RFC 3261 16), until ^C.
 *
 *     ./proxy 192.0.2.1:5060 192.0.2.7:5070    listen here, forward there */
#include "line.h"

struct proxy {
    struct ahoy_pump *pump;
    struct ahoy_proxy *engine;
    struct ahoy_ip there;
};

/* Sends |event| on; the Request-URI stays. */
static void forward(struct proxy *proxy, const struct ahoy_event *event)
{
    const struct ahoy_proxy_target target = {
        .uri = event->message->request_uri,
        .hop = { .transport = AHOY_UDP, .listener = AHOY_ANY_LISTENER, .remote = proxy->there },
        .q = 1000,
    };
    const struct ahoy_proxy_plan plan = { .targets = &target, .count = 1 };
    if (event->kind == AHOY_EVENT_ACK)
        ahoy_proxy_forward(proxy->engine, event, &plan);
    else
        ahoy_proxy_start(proxy->engine, event, &plan, ahoy_driver_now());
}

/* What has been passed on often enough goes no further (16.3). */
static void refuse(struct proxy *proxy, const struct ahoy_event *event)
{
    char text[AHOY_MESSAGE_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    const struct ahoy_response response = { .status = 483, .to_tag = SPAN("proxy") };
    ahoy_compose_response(&buf, event->message, &response);
    const struct span answer = ahoy_buf_text(&buf);
    ahoy_transaction_answer(ahoy_pump_transactions(proxy->pump), event, &answer, 1);
}

static void serve(struct proxy *proxy, const struct ahoy_event *event)
{
    bool is_new = event->kind == AHOY_EVENT_REQUEST || event->kind == AHOY_EVENT_ACK;
    if (event->user != 0)
        ahoy_proxy_step(proxy->engine, event, ahoy_driver_now());
    else if (is_new && event->routing->max_forwards > 0)
        forward(proxy, event);
    else if (event->kind == AHOY_EVENT_REQUEST)
        refuse(proxy, event);
}

static bool open_engine(struct proxy *proxy)
{
    struct ahoy_proxy_options options = { .limit = 100000, .timer_c_ms = 181000 };
    if (!ahoy_driver_random(options.seed, sizeof options.seed) ||
        !ahoy_driver_random(&options.loop_key, sizeof options.loop_key))
        return false;
    proxy->engine =
        ahoy_proxy_new(&options, ahoy_pump_transactions(proxy->pump), ahoy_driver_now());
    return proxy->engine != NULL;
}

int main(int count, char **words)
{
    struct proxy proxy;
    struct ahoy_ip here;
    struct ahoy_pump_fault fault;
    if (count != 3 || !line_read_server(words[1], &here) ||
        !line_read_server(words[2], &proxy.there)) {
        fprintf(stderr, "usage: proxy ADDRESS:PORT ADDRESS:PORT\n");
        return 2;
    }
    const struct ahoy_pump_options options = {
        .listeners = { { .transport = AHOY_UDP, .local = here } },
        .listener_count = 1,
        .transactions = 100000,
        .memory = 256 * 1024 * 1024,
    };
    proxy.pump = ahoy_pump_open(&options, &fault);
    if (proxy.pump == NULL) {
        fprintf(stderr, "%s\n", fault.text);
        return 1;
    }
    if (!open_engine(&proxy)) {
        fprintf(stderr, "no memory\n");
        ahoy_pump_close(proxy.pump);
        return 1;
    }
    for (;;) {
        struct ahoy_event event;
        ahoy_pump_wait(proxy.pump, ahoy_proxy_deadline(proxy.engine));
        while (ahoy_pump_next(proxy.pump, &event))
            serve(&proxy, &event);
        ahoy_proxy_expire(proxy.engine, ahoy_driver_now());
    }
}
