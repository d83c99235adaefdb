// Values of samples. Strings and binaries are both JavaScript strings of bytes (Latin-1, one character per
// byte), so that no conversion is needed between header, rule and hash.
import type { IpAddress } from "../../base/address.ts";

/** Integers are exact up to 2^53, HAProxy's to 2^63. */
export type SampleValue = string | number | boolean | IpAddress;
