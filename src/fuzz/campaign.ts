/**
 * A campaign: programs by one seed after the other, run on an oracle and on a subject, until there are enough of them. What differs
 * is shrunk and kept.
 */
import type { Call } from "./call.ts";
import { type Compared, compare, compareWith, type Difference, kindOf, type Pair } from "./compare.ts";
import { codeOf } from "./describe.ts";
import { endJob } from "./end-job.ts";
import { type Abilities, generate, type Profile } from "./generate.ts";
import { NEVER_RETURNS } from "./isolated-subject.ts";
import { onceASecond } from "./once-a-second.ts";
import { SearchClock, type TimeLimit } from "./search-clock.ts";
import { SeenPairs } from "./seen-pairs.ts";
import { shrink } from "./shrink.ts";
import { simplerCalls } from "./simpler.ts";

export interface CampaignOptions extends Pair, TimeLimit {
  /** 32 bits; program n has seedOfProgram(seed, n). */
  readonly seed: number;
  readonly profiles: readonly Profile[];
  readonly abilities: Abilities;
  /** It ends after so many calls, or so many different findings, or when its time is over, whichever comes first. */
  readonly maxCalls: number;
  readonly maxFindings: number;
  /** Called now and then. */
  readonly tell?: (so: Progress) => void;
  /** Of several campaigns that share the programs of a seed: which one this is. All programs if left out. */
  readonly share?: { readonly index: number; readonly count: number };
}

export interface Finding {
  readonly seed: number;
  readonly profile: Profile;
  /** Shrunk. */
  readonly program: Compared & { readonly difference: Difference };
  /** Calls that it had before. */
  readonly nrCallsFound: number;
  /** How many programs have shown the same kind. */
  nrSeen: number;
}

export interface Progress {
  nrPrograms: number;
  /** Calls whose outcomes were compared. */
  nrCalls: number;
  ms: number;
  /** Pairs of call and errno, "ok" among these, that the oracle has answered. */
  readonly pairs: ReadonlySet<string>;
  readonly findings: readonly Finding[];
  /** Programs that ended early, by the reason. */
  readonly reasons: ReadonlyMap<string, number>;
}

/** Calls of a program. */
const NR_CALLS = 200;
const MAX_SHRINK_TRIES = 1000;
/** Where each try takes seconds. */
const MAX_SLOW_SHRINK_TRIES = 30;
const GOLDEN = 0x9e3779b9;
const WHOLE = { index: 0, count: 1 };

export function seedOfProgram(seed: number, n: number): number {
  return (seed + Math.imul(n, GOLDEN)) >>> 0;
}

/** What campaigns have come to that ran at the same time. */
export function mergeProgress(all: readonly Progress[]): Progress {
  const findings = new Map<string, Finding>();
  for (const finding of all.flatMap((one) => one.findings)) {
    const { calls, difference } = finding.program;
    const kind = kindOf(calls, difference);
    const known = findings.get(kind);
    findings.set(kind, known === undefined ? finding : { ...known, nrSeen: known.nrSeen + finding.nrSeen });
  }
  const reasons = new Map<string, number>();
  for (const [reason, times] of all.flatMap((one) => [...one.reasons])) {
    reasons.set(reason, (reasons.get(reason) ?? 0) + times);
  }
  return {
    nrPrograms: all.reduce((sum, { nrPrograms }) => sum + nrPrograms, 0),
    nrCalls: all.reduce((sum, { nrCalls }) => sum + nrCalls, 0),
    ms: Math.max(0, ...all.map(({ ms }) => ms)),
    pairs: new Set(all.flatMap(({ pairs }) => [...pairs])),
    findings: [...findings.values()],
    reasons,
  };
}

/** @throws Error when the oracle fails */
export async function runCampaign(options: CampaignOptions): Promise<Progress> {
  return new Campaign(options).run();
}

interface Drawn {
  readonly seed: number;
  readonly profile: Profile;
  readonly calls: readonly Call[];
}

class Campaign {
  readonly #options: CampaignOptions;
  readonly #pairs = new Set<string>();
  readonly #findings = new Map<string, Finding>();
  readonly #reasons = new Map<string, number>();
  readonly #progress: Progress;
  readonly #seen = new SeenPairs();
  readonly #clock: SearchClock;

  constructor(options: CampaignOptions) {
    this.#options = options;
    this.#clock = new SearchClock(options);
    this.#progress = { nrPrograms: 0, nrCalls: 0, ms: 0, pairs: this.#pairs, findings: [], reasons: this.#reasons };
  }

  async run(): Promise<Progress> {
    const { oracle, maxFindings } = this.#options;
    const tell = onceASecond(this.#options.tell);
    let next = this.#draw(0);
    let answers = oracle.run(next.calls);
    for (let n = 1; ; n++) {
      const drawn = next;
      const expected = await answers;
      const isLast = !this.#goesOn(drawn.calls.length);
      // The oracle answers the next one while the subject is at this one.
      next = this.#draw(n);
      if (!isLast) answers = oracle.run(next.calls);
      const compared = await compareWith(this.#options, drawn.calls, expected);
      this.#note(compared);
      if (compared.difference !== undefined) {
        if (!isLast) await answers;
        await this.#found(drawn, { ...compared, difference: compared.difference });
        if (!isLast) answers = oracle.run(next.calls);
      }
      this.#progress.ms = this.#clock.ms;
      if (isLast || this.#findings.size >= maxFindings) {
        if (!isLast) await answers;
        return this.#told();
      }
      tell(this.#told());
      await endJob();
    }
  }

  #told(): Progress {
    return { ...this.#progress, findings: [...this.#findings.values()] };
  }

  /** @param more calls that are about to be compared */
  #goesOn(more: number): boolean {
    return this.#progress.nrCalls + more < this.#options.maxCalls && !this.#clock.isOver;
  }

  #draw(n: number): Drawn {
    const { seed: first, profiles, abilities, share = WHOLE } = this.#options;
    const number = n * share.count + share.index;
    const seed = seedOfProgram(first, number);
    const profile = profiles[number % profiles.length];
    return { seed, profile, calls: generate(seed, profile, NR_CALLS, abilities, this.#seen) };
  }

  #note({ calls, expected, nrCompared, reason }: Compared): void {
    this.#progress.nrPrograms++;
    this.#progress.nrCalls += nrCompared;
    for (let i = 0; i < nrCompared; i++) this.#pairs.add(`${calls[i]?.call} ${codeOf(expected[i] ?? "") ?? "ok"}`);
    if (reason !== undefined) this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
  }

  async #found({ seed, profile, calls }: Drawn, compared: Compared & { difference: Difference }): Promise<void> {
    const kind = kindOf(calls, compared.difference);
    const known = this.#findings.get(kind);
    if (known !== undefined) known.nrSeen++;
    else {
      const program = await shrinkProgram(this.#options, compared, () => this.#clock.isOver);
      this.#findings.set(kind, { seed, profile, program, nrCallsFound: calls.length, nrSeen: 1 });
    }
  }
}

/**
 * @param compared a program with a difference
 * @param isOver whether there is no time left: what has been found by then is it
 * @returns a shorter one with a difference of the same kind
 */
export async function shrinkProgram(
  pair: Pair,
  compared: Compared & { difference: Difference },
  isOver?: () => boolean,
): Promise<Compared & { difference: Difference }> {
  let best = compared;
  const kind = kindOf(compared.calls, compared.difference);
  const shows = async (calls: readonly Call[]): Promise<boolean> => {
    const again = await compare(pair, calls);
    const { difference } = again;
    if (difference === undefined || kindOf(calls, difference) !== kind) return false;
    best = { ...again, difference };
    return true;
  };
  const upTo = compared.calls.slice(0, compared.difference.at + 1);
  const maxTries = compared.difference.actual === NEVER_RETURNS ? MAX_SLOW_SHRINK_TRIES : MAX_SHRINK_TRIES;
  if (await shows(upTo)) await shrink(upTo, { shows, simpler: simplerCalls, maxTries, isOver });
  return best;
}
