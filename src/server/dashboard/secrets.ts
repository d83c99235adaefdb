// Lines of configurations as the dashboard shows them: passwords and keys that stand in them stay in the
// file.

const SECRET_WORDS: readonly RegExp[] = [
  /(\b(?:insecure-)?password\s+)(\S+)/g,
  /(\bstats\s+auth\s+[^\s:]+:)(\S+)/g,
  /(\bdynamic-cookie-key\s+)(\S+)/g,
  /(\bmysql-check\b.*\bpassword\s+)(\S+)/g,
  /(\b(?:set-var|setenv|presetenv)\b\S*\s+\S*(?:secret|token|passw|key)\S*\s+)(\S+)/gi,
  // All that follows, up to a condition: spaces are part of it, escaped or between quotes.
  /((?:authorization|x-api-key)[:\s\\"']+(?:(?:Basic|Bearer)[\s\\]+)?)(?!(?:if|unless|len)\s)(\S.*?)(?=\s+(?:if|unless)\s|\s+#|$)/gim,
];

/** The same line with "…" in their places. Columns behind one shift, so spans are those of the file. */
export function withoutSecrets(line: string): string {
  return SECRET_WORDS.reduce((text, pattern) => text.replace(pattern, "$1…"), line);
}

/** A copy in which every text is shown so: explanations quote lines and heads. */
export function copyWithoutSecrets<T>(value: T): T {
  const text = JSON.stringify(value, (_name, one: unknown) =>
    typeof one === "string" ? withoutSecrets(one) : one,
  );
  return JSON.parse(text) as T;
}
