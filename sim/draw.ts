// Choices that follow from a seed alone. Each part of a scenario draws from a generator of its own, so that
// a change in one part leaves the others as they were.
import { seededRandom } from "../src/io/memory/seeded-random.ts";

export class Draw {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** Uniform in [0, 1). */
  fraction(): number {
    return this.#random();
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  /** Both bounds are possible. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.#random() * (most - least + 1));
  }

  pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)]!;
  }

  /** One of the names, as likely as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const names = Object.keys(weights) as Name[];
    const sum = names.reduce((total, name) => total + weights[name], 0);
    let rest = this.#random() * sum;
    for (const name of names) {
      rest -= weights[name];
      if (rest < 0) return name;
    }
    return names[0]!;
  }

  /** A generator of its own for a part of what is drawn. */
  fork(): Draw {
    return new Draw(Math.floor(this.#random() * 0x1_0000_0000));
  }
}
