// What a mail about a server says, as HAProxy words it: its log line without the full stop, in the subject
// and as the text.

export interface AlertMail {
  readonly from: string;
  readonly to: string;
  /** Head and text, CRLF behind each line, without the dot that ends it. */
  readonly content: string;
}

/** `text` is a log line of a server's state. */
export function composeAlert(from: string, to: string, text: string, now: Date): AlertMail {
  const line = oneLine(text).replace(/\.$/, "");
  const head = [`From: ${oneLine(from)}`, `To: ${oneLine(to)}`, `Date: ${formatMailDate(now)}`];
  const lines = [...head, `Subject: [HAProxy Alert] ${line}`, "", line, ""];
  return { from: oneLine(from), to: oneLine(to), content: lines.map((one) => `${one}\r\n`).join("") };
}

/** Nothing of a name or a server's answer may begin a line of its own: it would be a header, or the end. */
function oneLine(text: string): string {
  return text.replace(/[\0\r\n]+/g, " ");
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** "Sun, 29 Nov 2026 00:41:15 +0000 (UTC)": RFC 5322, section 3.3, with the name of the local time zone. */
export function formatMailDate(date: Date): string {
  const day = `${DAYS[date.getDay()]}, ${two(date.getDate())} ${MONTHS[date.getMonth()]} ${date.getFullYear()}`;
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  const offset = -date.getTimezoneOffset();
  const minutes = Math.abs(offset);
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}${two(minutes % 60)}`;
  return `${day} ${time} ${zone} (${zoneName(date)})`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

function zoneName(date: Date): string {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" }).formatToParts(date);
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
}
