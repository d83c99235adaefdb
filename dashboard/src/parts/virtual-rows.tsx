// Rows of one height, of which only those in sight are there: thousands cost as much as dozens. The list is
// part of the page and scrolls with it.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

const BEYOND_SIGHT = 12;

export function VirtualRows<T>({
  rows,
  rowHeight,
  columns,
  render,
}: {
  readonly rows: readonly T[];
  /** In CSS pixels. */
  readonly rowHeight: number;
  /** Of the table, for the rows that stand for what is out of sight. */
  readonly columns: number;
  render(row: T, index: number): ComponentChildren;
}) {
  const body = useRef<HTMLTableSectionElement>(null);
  const [range, setRange] = useState({ first: 0, last: 60 });
  useEffect(() => {
    const look = () => {
      const top = body.current?.getBoundingClientRect().top ?? 0;
      const first = Math.max(0, Math.floor(-top / rowHeight) - BEYOND_SIGHT);
      const last = first + Math.ceil(innerHeight / rowHeight) + 2 * BEYOND_SIGHT;
      setRange((before) => (before.first === first && before.last === last ? before : { first, last }));
    };
    look();
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    return () => {
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, [rowHeight]);
  const first = Math.min(range.first, Math.max(0, rows.length - 1));
  const shown = rows.slice(first, range.last);
  const spacer = (height: number) =>
    height > 0 && (
      <tr>
        <td colSpan={columns} class="spacer" style={{ height: `${height}px` }} />
      </tr>
    );
  return (
    <tbody ref={body}>
      {spacer(first * rowHeight)}
      {shown.map((row, index) => render(row, first + index))}
      {spacer((rows.length - first - shown.length) * rowHeight)}
    </tbody>
  );
}
