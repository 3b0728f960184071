/* What a user agent tells its program: polled, in order. */
#pragma once

#include "libahoy/sdp/negotiate.h"
#include "libahoy/transaction/user.h"

enum ahoy_ua_news_kind {
    AHOY_NEWS_REGISTERED = 1, /* |expires_s|; again at each refresh. */
    AHOY_NEWS_UNREGISTERED,
    AHOY_NEWS_REGISTRATION_FAILED, /* |status|, |text| the reason. */
    AHOY_NEWS_INCOMING,            /* |session|, |text| who calls; |replaced| or null. */
    AHOY_NEWS_REDIRECTED,          /* |session|, |text| where to; |status| is why. */
    AHOY_NEWS_RINGING,             /* |session|, |status| 180 to 183. */
    AHOY_NEWS_EARLY,               /* Media before the answer: |session|, |agreed|;
                                    * ahoy_ua_notice: the peer's lines of ICE (sdp/ice.h). */
    AHOY_NEWS_ANSWERED,            /* |session|, |agreed|, |text| the peer; the same. */
    AHOY_NEWS_CHANGED,             /* The session changed: |agreed| is so now; the same. */
    AHOY_NEWS_CHANGE_REFUSED,      /* The peer refused ours: |status|, |text| the reason. */
    AHOY_NEWS_REFUSED,             /* |session| was never answered: |status|, |text| the reason. */
    AHOY_NEWS_ENDED,               /* |session|: |by|, |text| the reason. */
    AHOY_NEWS_TRANSFER_ASKED,      /* |session|: its peer would have us call |text|; ahoy_ua_notice:
                                    * who he is, where |session| is no call. */
    AHOY_NEWS_TRANSFER_ACCEPTED,   /* |session|: its peer will look at our wish. */
    AHOY_NEWS_TRANSFER_PROGRESS,   /* |session|: |status| of the call that he makes, |text|. */
    AHOY_NEWS_TRANSFER_ENDED,      /* |session|: the last |status|, 2xx where it is done; |text|. */
    AHOY_NEWS_NOTIFIED,            /* |expires_s|, |text| "active"; ahoy_ua_notice: what it told. */
    AHOY_NEWS_WATCH_ENDED,         /* |status|: 200 as wished; else why, or 0 and |text|. */
    AHOY_NEWS_MESSAGE,      /* |text| who from, |expires_s| or 0, |session| that it belongs to or
                            * null; ahoy_ua_notice: what it says. */
    AHOY_NEWS_REPLY,        /* |exchange|, |session|: |status|, |text| the reason; ahoy_ua_notice:
                            * the response, where one came. */
    AHOY_NEWS_PUBLISHED,    /* |expires_s|; again at each refresh. */
    AHOY_NEWS_PUBLISH_ENDED /* |status|: 200 as wished; else why, |text| the reason. */
};

enum ahoy_side { AHOY_SIDE_US = 1, AHOY_SIDE_PEER, AHOY_SIDE_NETWORK };

enum { AHOY_NEWS_TEXT_LIMIT = 256, AHOY_NEWS_LIMIT = 64 };

/* REFUSED and ENDED are the last of a session, whose handle is of no use afterwards but for the end
 * of a transfer. */
struct ahoy_ua_news {
    enum ahoy_ua_news_kind kind;
    struct ahoy_handle session;
    struct ahoy_handle exchange; /* As ahoy_ua_ask named it. */
    unsigned reg_id; /* Of REGISTERED, UNREGISTERED, REGISTRATION_FAILED: which server, from 1. */
    struct ahoy_handle replaced; /* The session that this one takes the place of, once answered. */
    unsigned status;
    uint32_t expires_s;
    struct ahoy_sdp_agreed agreed;
    enum ahoy_side by;
    size_t text_size;
    char text[AHOY_NEWS_TEXT_LIMIT]; /* Bytes of strangers: escape before showing. */
};
