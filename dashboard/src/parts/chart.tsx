// A chart of the last minutes (uPlot, loaded with the first one): lines over time, drawn anew when a second
// has gone by. What it shows is also said in words, for those who do not see it.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { theme } from "./theme.ts";

export interface Series {
  readonly label: string;
  /** Of the palette in style.css. */
  readonly colour: "--series-1" | "--series-2" | "--series-3" | "--series-4" | "--bad";
  readonly values: readonly (number | null)[];
  readonly isFilled?: boolean;
}

const HEIGHT = 168;
/** From one line of an axis to the next: of things that are not divided, and of KiB and MiB. */
export const WHOLE_STEPS: number[] = Array.from({ length: 10 }, (_, power) =>
  [1, 2, 5].map((one) => one * 10 ** power),
).flat();
export const BINARY_STEPS: number[] = Array.from({ length: 44 }, (_, power) => 2 ** power);

export function Chart({
  title,
  atMs,
  seconds,
  series,
  format,
  steps,
}: {
  readonly title: string;
  readonly atMs: readonly number[];
  /** Shown, also when not so much is known yet. */
  readonly seconds: number;
  readonly series: readonly Series[];
  format(value: number): string;
  /** Without them 1, 2, 5, and parts of one. */
  readonly steps?: number[];
}) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = [atMs.map((at) => at / 1000), ...series.map(({ values }) => values)] as uPlot.AlignedData;
  const latest = useRef(data);
  latest.current = data;
  const names = series.map(({ label }) => label).join("|");
  const colours = theme.value;
  useEffect(() => {
    const parent = box.current!;
    const make = () => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(parent, { seconds, series, format, steps }), latest.current, parent);
    };
    make();
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", make);
    const watcher = new ResizeObserver(() =>
      plot.current?.setSize({ width: parent.clientWidth, height: HEIGHT }),
    );
    watcher.observe(parent);
    return () => {
      scheme.removeEventListener("change", make);
      watcher.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [names, colours, seconds]);
  useEffect(() => plot.current?.setData(data), [data]);
  const words = series
    .map(({ label, values }) => `${label} ${format(values.findLast((value) => value !== null) ?? 0)}`)
    .join(", ");
  return (
    <figure class="chart" aria-label={`${title}: now ${words}`}>
      <figcaption>
        <h2>{title}</h2>
        <span class="legend">
          {series.map(({ label, colour, values }) => (
            <span key={label}>
              <i class={`swatch ${colour.slice(2)}`} /> {label}{" "}
              <b>{format(values.findLast((value) => value !== null) ?? 0)}</b>
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={box} class="chart-box" />
    </figure>
  );
}

interface Shown {
  readonly seconds: number;
  readonly series: readonly Series[];
  format(value: number): string;
  readonly steps: number[] | undefined;
}

function optionsOf(parent: HTMLElement, { seconds, series, format, steps }: Shown): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--soft"),
    font: "11px system-ui, sans-serif",
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: parent.clientWidth,
    height: HEIGHT,
    padding: [8, 16, 0, 0],
    legend: { show: false },
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    scales: {
      x: { range: (_plot, _first, last) => [last - seconds, last] },
      y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.15 : 1] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 26, space: 90, values: (_plot, times) => times.map(clock) },
      {
        ...axis,
        ...{ size: 62, space: 36, values: (_plot, values) => values.map((value) => format(value)) },
        ...(steps === undefined ? {} : { incrs: steps }),
      },
    ],
    series: [
      {},
      ...series.map(({ label, colour: name, isFilled }) => ({
        label,
        stroke: colour(name),
        width: 1.6,
        points: { show: false },
        ...(isFilled === true ? { fill: `${colour(name)}22` } : {}),
      })),
    ],
  };
}

function clock(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const text = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return date.getSeconds() === 0 ? text : `${text}:${two(date.getSeconds())}`;
}
