/**
 * `crt site.pem` stands for the files with these endings when there is none of that name (HAProxy manual,
 * section 3.1, `ssl-load-extra-files`).
 */
export const BUNDLE_EXTENSIONS: readonly string[] = [".rsa", ".ecdsa", ".dsa"];
