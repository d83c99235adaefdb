// strftime(3) in the C locale, for `ltime` and `utime`.

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

interface Moment {
  readonly seconds: number;
  /** The wall clock's fields, as the UTC fields of this date. */
  readonly fields: Date;
  readonly offsetMinutes: number;
  readonly zone: string;
}

const COMPOSITES: Readonly<Record<string, string>> = {
  c: "%a %b %e %H:%M:%S %Y",
  D: "%m/%d/%y",
  F: "%Y-%m-%d",
  r: "%I:%M:%S %p",
  R: "%H:%M",
  T: "%H:%M:%S",
  x: "%m/%d/%y",
  X: "%H:%M:%S",
  h: "%b",
};

/**
 * `seconds` since 1970 by `format`, in UTC or in the process's time zone. Unknown conversions stay as they
 * are.
 */
export function formatTime(format: string, seconds: number, isUtc: boolean): string | undefined {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return undefined;
  const offsetMinutes = isUtc ? 0 : -date.getTimezoneOffset();
  const fields = new Date(date.getTime() + offsetMinutes * 60_000);
  return expand(format, { seconds, fields, offsetMinutes, zone: isUtc ? "GMT" : zoneName(date) });
}

function expand(format: string, moment: Moment): string {
  return format.replace(/%[EO]?([A-Za-z%])/g, (text, letter: string) => {
    const composite = COMPOSITES[letter];
    return composite !== undefined ? expand(composite, moment) : (field(letter, moment) ?? text);
  });
}

function field(letter: string, { seconds, fields, offsetMinutes, zone }: Moment): string | undefined {
  const year = fields.getUTCFullYear();
  const hour = fields.getUTCHours();
  const day = fields.getUTCDate();
  const weekday = fields.getUTCDay();
  const dayOfYear = Math.floor(
    (Date.UTC(year, fields.getUTCMonth(), day) - Date.UTC(year, 0, 1)) / 86_400_000,
  );
  switch (letter) {
    case "a":
      return DAYS[weekday]!.slice(0, 3);
    case "A":
      return DAYS[weekday];
    case "b":
      return MONTHS[fields.getUTCMonth()]!.slice(0, 3);
    case "B":
      return MONTHS[fields.getUTCMonth()];
    case "C":
      return pad(Math.trunc(year / 100));
    case "d":
      return pad(day);
    case "e":
      return pad(day, " ");
    case "H":
      return pad(hour);
    case "I":
      return pad(hour % 12 || 12);
    case "j":
      return `${dayOfYear + 1}`.padStart(3, "0");
    case "k":
      return pad(hour, " ");
    case "l":
      return pad(hour % 12 || 12, " ");
    case "m":
      return pad(fields.getUTCMonth() + 1);
    case "M":
      return pad(fields.getUTCMinutes());
    case "n":
      return "\n";
    case "p":
      return hour < 12 ? "AM" : "PM";
    case "P":
      return hour < 12 ? "am" : "pm";
    case "s":
      return `${seconds}`;
    case "S":
      return pad(fields.getUTCSeconds());
    case "t":
      return "\t";
    case "u":
      return `${weekday || 7}`;
    case "U":
      return pad(Math.floor((dayOfYear + 7 - weekday) / 7));
    case "w":
      return `${weekday}`;
    case "W":
      return pad(Math.floor((dayOfYear + 7 - ((weekday + 6) % 7)) / 7));
    case "V":
      return pad(isoWeek(fields).week);
    case "G":
      return `${isoWeek(fields).year}`;
    case "g":
      return pad(isoWeek(fields).year % 100);
    case "y":
      return pad(year % 100);
    case "Y":
      return `${year}`;
    case "z":
      return formatOffset(offsetMinutes);
    case "Z":
      return zone;
    case "%":
      return "%";
    default:
      return undefined;
  }
}

/** "+0100". */
export function formatOffset(offsetMinutes: number): string {
  const minutes = Math.abs(offsetMinutes);
  return `${offsetMinutes < 0 ? "-" : "+"}${pad(Math.trunc(minutes / 60))}${pad(minutes % 60)}`;
}

/** ISO 8601: the week of the year's first Thursday is week 1. */
function isoWeek(fields: Date): { year: number; week: number } {
  const thursday = new Date(fields.getTime() + (4 - (fields.getUTCDay() || 7)) * 86_400_000);
  const year = thursday.getUTCFullYear();
  return { year, week: Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * 86_400_000)) + 1 };
}

function zoneName(date: Date): string {
  const part = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" }).formatToParts(date);
  return part.find(({ type }) => type === "timeZoneName")?.value ?? "GMT";
}

function pad(value: number, fill = "0"): string {
  return `${value}`.padStart(2, fill);
}
