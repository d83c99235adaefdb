// The version that `package.json` has, for programs that must not read files to know it. A test compares the
// two.

export const VERSION = "0.1.0";
/** When that version was made. */
export const VERSION_DATE = "2026/11/23";
