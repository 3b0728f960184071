/* ITU-T G.711: a sample is a byte, of a sign, a power of two and four digits behind it. */
#pragma once

#include <stdint.h>

uint8_t ahoy_mu_law(int16_t sample);
int16_t ahoy_mu_law_sample(uint8_t byte);
uint8_t ahoy_a_law(int16_t sample);
int16_t ahoy_a_law_sample(uint8_t byte);
