// An answer that a page needs: asked for when the page comes, asked anew by `again`, and never shown when a
// newer question has been asked meanwhile.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { type ApiFault, get } from "../api/client.ts";

export interface Loaded<T> {
  /** The last one that came; it stays while a newer one is on its way. */
  readonly data: T | null;
  readonly fault: ApiFault | null;
  readonly isLoading: boolean;
  again(): void;
  /** What is known already, from an action or an event. */
  set(change: (data: T | null) => T | null): void;
}

/** `path` null: nothing to ask yet. */
export function useLoaded<T>(path: string | null): Loaded<T> {
  const [data, setData] = useState<T | null>(null);
  const [fault, setFault] = useState<ApiFault | null>(null);
  const [isLoading, setLoading] = useState(false);
  const [round, setRound] = useState(0);
  const shown = useRef<string | null>(null);
  useEffect(() => {
    if (path === null) return;
    if (shown.current !== path) setData(null);
    const stop = new AbortController();
    setLoading(true);
    get<T>(path, stop.signal).then(
      (answer) => {
        shown.current = path;
        setData(answer);
        setFault(null);
        setLoading(false);
      },
      (error: unknown) => {
        if (stop.signal.aborted) return;
        setFault(error as ApiFault);
        setLoading(false);
      },
    );
    return () => stop.abort();
  }, [path, round]);
  const again = useCallback(() => setRound((before) => before + 1), []);
  return { data, fault, isLoading, again, set: setData };
}
