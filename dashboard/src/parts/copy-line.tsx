// Text to be taken along: a line of a shell, an address. Where the browser lets no page write to the clipboard
// (no TLS, not this machine) it can be marked and copied by hand.
import { say } from "./messages.tsx";

export function CopyLine({ label, text }: { readonly label: string; readonly text: string }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      say(`Copied: ${label.toLowerCase()}`);
    } catch {
      say("The browser does not let this page copy: mark the text instead.");
    }
  };
  return (
    <div class="copy-line">
      <span class="quiet small">{label}</span>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reached by the keyboard. */}
      <code tabIndex={0}>{text}</code>
      <button type="button" aria-label={`Copy: ${label.toLowerCase()}`} onClick={copy}>
        Copy
      </button>
    </div>
  );
}
