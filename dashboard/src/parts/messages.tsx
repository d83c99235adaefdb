// What has been done, said for a while at the lower edge, with the way to undo it. Screen readers hear it.
import { signal } from "@preact/signals";
import { ApiFault } from "../api/client.ts";

interface Message {
  readonly id: number;
  readonly text: string;
  readonly isFault: boolean;
  readonly action: { readonly label: string; run(): void } | null;
}

const SHOWN_MS = 8000;
const SHOWN_WITH_ACTION_MS = 60_000;

const messages = signal<readonly Message[]>([]);
let nextId = 1;

export function say(text: string, action: Message["action"] = null): void {
  add({ id: nextId++, text, isFault: false, action });
}

export function sayFault(error: unknown): void {
  const help = error instanceof ApiFault && error.help !== null ? ` ${error.help}` : "";
  add({ id: nextId++, text: `${(error as Error).message}${help}`, isFault: true, action: null });
}

function add(message: Message): void {
  messages.value = [...messages.value.slice(-2), message];
  setTimeout(() => dismiss(message.id), message.action === null ? SHOWN_MS : SHOWN_WITH_ACTION_MS);
}

function dismiss(id: number): void {
  messages.value = messages.value.filter((one) => one.id !== id);
}

export function Messages() {
  return (
    <div class="messages" role="status" aria-live="polite">
      {messages.value.map(({ id, text, isFault, action }) => (
        <div key={id} class={isFault ? "message fault" : "message"}>
          <span>{text}</span>
          {action !== null && (
            <button
              type="button"
              onClick={() => {
                dismiss(id);
                action.run();
              }}
            >
              {action.label}
            </button>
          )}
          <button type="button" class="quiet" aria-label="Close" onClick={() => dismiss(id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
