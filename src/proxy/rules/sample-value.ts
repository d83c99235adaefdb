// Values of samples. Strings and binaries are both JavaScript strings of bytes (Latin-1, one character per
// byte), so that no conversion is needed between header, rule and hash.
import type { IpAddress } from "../../base/address.ts";

/**
 * Integers are numbers, exact up to 2^53. Hashes and fields of 64 bits that are larger are bigints, and so is
 * what arithmetic makes of them; all else takes these for the nearest number.
 */
export type SampleValue = string | number | bigint | boolean | IpAddress;
