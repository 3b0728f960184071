/* What RFC 5626 6 adds to a REGISTER: which flow of which instance it is for, and whether the way
 * to it can be kept to.  The inside of registrar.c. */
#pragma once

#include "libahoy/syntax/params.h"
#include "libahoy/tu/registrar.h"

/* Reads the values of +sip.instance and reg-id of a contact; empty where they are absent.  Faults:
 * 400 for an instance that is too long, and a reg-id that is no number from 1 to 2^31 - 1. */
bool ahoy_registrar_read_instance(const struct ahoy_param *instance,
                                  const struct ahoy_param *reg_id, struct ahoy_asked_contact *asked,
                                  struct ahoy_err *err);

/* Reads Path, and decides what becomes of a reg-id.  Faults: 400 for a Path that is unreadable or
 * above AHOY_PATH_LIMIT, or a reg-id beside another contact; 439. */
bool ahoy_registrar_read_outbound(const struct ahoy_message *request,
                                  struct ahoy_register *read, struct ahoy_err *err);
