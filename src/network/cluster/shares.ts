// Who of a cluster's members takes what, as a pure function of who takes part: each member works it out for
// itself, and all come to the same. A bucket leaves its home only while that one is away, so the loss of a
// member moves nobody else's, and its return moves back only its own.
export const BUCKET_COUNT = 60;

export interface SharedRule {
  /** Unique in its cluster, and the same as long as it is about the same ports: "tcp 80". */
  readonly name: string;
  /** `multiple`: by buckets. `single`: one member has all of it, its only slot. */
  readonly kind: "multiple" | "single";
  /** Of `multiple`: what decides on the bucket. */
  readonly affinity?: "none" | "single" | "class-c";
  /** All members by their number, with weight (multiple) or priority (single; the lowest goes first). */
  readonly members: readonly RuleMember[];
}

export interface RuleMember {
  readonly member: number;
  readonly value: number;
}

/** Whether a slot of the one is the same packets as that slot of the other. */
export function hasSameSlots(a: SharedRule, b: SharedRule): boolean {
  return a.name === b.name && a.kind === b.kind && a.affinity === b.affinity;
}

/** 60 buckets, or one slot for everything. */
export function slotCount({ kind }: SharedRule): number {
  return kind === "multiple" ? BUCKET_COUNT : 1;
}

/** The member that has each slot, when those of `active` take part; null: nobody. */
export function slotOwners(rule: SharedRule, active: ReadonlySet<number>): readonly (number | null)[] {
  if (rule.kind === "multiple") return bucketHolders(rule.members, active);
  const ranked = rule.members.filter(({ member }) => active.has(member)).sort((a, b) => a.value - b.value);
  return [ranked[0]?.member ?? null];
}

/** The homes of buckets: neighbouring ones for each member, by weight. All null when every weight is 0. */
export function bucketHomes(members: readonly RuleMember[]): (number | null)[] {
  const sum = sumOf(members);
  const homes: (number | null)[] = [];
  let soFar = 0;
  for (const { member, value } of members) {
    soFar += value;
    // Rounding the sums, not the shares, gives away exactly 60.
    const end = sum === 0 ? 0 : Math.round((soFar / sum) * BUCKET_COUNT);
    while (homes.length < end) homes.push(member);
  }
  while (homes.length < BUCKET_COUNT) homes.push(null);
  return homes;
}

/**
 * Those who are away are taken out one after the other, so that what one more loss moves is little. With two
 * away a bucket of theirs may move once more than it had to: the price of needing no memory and no master.
 */
function bucketHolders(members: readonly RuleMember[], active: ReadonlySet<number>): (number | null)[] {
  const holders = bucketHomes(members);
  let present = members;
  for (const { member: away } of members) {
    if (active.has(away)) continue;
    present = present.filter(({ member }) => member !== away);
    const sum = sumOf(present);
    const owed = new Map(present.map(({ member, value }) => [member, (BUCKET_COUNT * value) / sum]));
    for (const holder of holders) {
      if (holder !== null && holder !== away) owed.set(holder, owed.get(holder)! - 1);
    }
    for (const [bucket, holder] of holders.entries()) {
      if (holder !== away && holder !== null) continue;
      // Whom most is owed to; the first of equals.
      const next =
        sum === 0
          ? null
          : present.reduce((a, b) => (owed.get(b.member)! > owed.get(a.member)! ? b : a)).member;
      holders[bucket] = next;
      if (next !== null) owed.set(next, owed.get(next)! - 1);
    }
  }
  return holders;
}

function sumOf(members: readonly RuleMember[]): number {
  return members.reduce((sum, { value }) => sum + value, 0);
}
