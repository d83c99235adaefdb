// Trailers of a request as lines of HTTP/1.1, in the same strict reading as its head; and without those that
// would frame the message, or that a header of that name decides (RFC 9110 section 6.5.1).
import { KIND, kindOf } from "./field-kind.ts";
import type { HeaderField } from "./header-field.ts";
import type { FieldSink } from "./hpack-decoder.ts";

export class TrailerLines implements FieldSink {
  /** Each with its end, one character per byte. */
  text = "";
  isMalformed = false;

  begin(): void {
    this.text = "";
    this.isMalformed = false;
  }

  receiveField(field: HeaderField): void {
    const kind = kindOf(field);
    const mayStand = kind === KIND.cookie || (kind === KIND.plain && field.nameKind === KIND.plain);
    if (!mayStand || field.name === "trailer") this.isMalformed = true;
    else this.text += `${field.name}: ${field.value}\r\n`;
  }
}
