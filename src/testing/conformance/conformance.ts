/**
 * The suites for file systems of others: run as tests of whichever runner, or by themselves with a report.
 *
 * Does not own: the cases (one file a subject beside this one), what foliofs's own file systems skip (test/subjects).
 */
import { argTypeError, argValueError } from "../../node/errors.ts";
import { ABILITIES, type Ability, guardedFs } from "./guarded-fs.ts";
import { SUITES } from "./index.ts";
import { SkippedCase } from "./skipped-case.ts";
import type { Credentials, NodeFs, Subject } from "./subject.ts";
import type { CaseContext } from "./suite.ts";

/** A file system to be tested. */
export interface ConformanceSubject {
  /** The face of node:fs: an object with its synchronous methods; what is missing is skipped. Cases run as root, umask 0o022. */
  readonly fs: object;
  /** Absolute path of an empty directory, mode 0o755. */
  readonly root: string;
  /** Runs `call`, which is synchronous, as another user. Left out: cases about permissions are skipped. */
  as?<T>(credentials: Credentials, call: (fs: NodeFs) => T): T;
  /** After the case. */
  dispose?(): unknown;
}

/** What is told of the file system. */
export interface Expectations {
  /** What it does not have, and why: cases that ask for it are skipped. */
  readonly lacks?: Partial<Record<Ability, string>>;
  /** Cases by name that are not run, and why. */
  readonly skipped?: Readonly<Record<string, string>>;
  /** Cases by name that fail, and why: they have to, so that what has been mended is noticed. */
  readonly known?: Readonly<Record<string, string>>;
  /** Suites by name that are run: all unless said otherwise. */
  readonly suites?: readonly string[];
}

/** What runners have: those of vitest, node:test, jest, mocha and bun do. */
export interface Runner {
  describe(name: string, define: () => void): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: each has a context of its own
  it(name: string, run: (...args: any[]) => Promise<void>): unknown;
}

/** A case, by the name that lists have for it. */
export interface ConformanceCase {
  readonly suite: string;
  readonly name: string;
}

/** What has come of a case. "known": it has failed, as it should. */
export interface CaseResult extends ConformanceCase {
  readonly outcome: "passed" | "failed" | "skipped" | "known";
  /** Why it is skipped or known. */
  readonly reason?: string;
  /** Why it has failed, or known cases have. */
  readonly error?: unknown;
}

type Make = () => ConformanceSubject | Promise<ConformanceSubject>;

interface Body extends ConformanceCase {
  run(subject: Subject, context: CaseContext): void | Promise<void>;
}

function bodies(): Body[] {
  return Object.entries(SUITES).flatMap(([suite, define]) => {
    const found: Body[] = [];
    let current: Subject | undefined; // cases ask for it when they begin
    const create = (): Subject => current as Subject;
    define(create, (name, body) =>
      found.push({
        suite,
        name,
        run(subject, context) {
          current = subject;
          return body(context);
        },
      }),
    );
    return found;
  });
}

/** All cases, in the order in which they are run. */
export function conformanceCases(): ConformanceCase[] {
  return bodies().map(({ suite, name }) => ({ suite, name }));
}

function checkNames(given: readonly string[] | undefined, known: readonly string[], what: string): void {
  const stranger = given?.find((name) => !known.includes(name));
  if (stranger !== undefined) throw argValueError(what, stranger, "is not the name of one");
}

/** @throws ERR_INVALID_ARG_VALUE for abilities, cases and suites that there are not */
function chosen(expected: Expectations): Body[] {
  const all = bodies();
  const names = all.map(({ name }) => name);
  checkNames(Object.keys(expected.lacks ?? {}), Object.keys(ABILITIES), "lacks");
  checkNames(Object.keys(expected.skipped ?? {}), names, "skipped");
  checkNames(Object.keys(expected.known ?? {}), names, "known");
  checkNames(expected.suites, Object.keys(SUITES), "suites");
  return all.filter(({ suite }) => expected.suites?.includes(suite) ?? true);
}

function subjectOf({ as, fs, root }: ConformanceSubject, lacks: Expectations["lacks"] = {}): Subject {
  const guarded = guardedFs(fs, lacks);
  const reason = lacks.users ?? (as ? undefined : "the subject has no as(): other users are not known");
  return {
    fs: guarded,
    root,
    maxFileBytes: 0n, // asked for where there is a kernel
    as(credentials, call) {
      if (reason !== undefined || as === undefined) throw new SkippedCase(reason as string);
      return as(credentials, (face) => call(guardedFs(face, lacks)));
    },
  };
}

const SKIPPING: CaseContext = {
  skip(reason) {
    throw new SkippedCase(reason);
  },
};

async function outcomeOf(body: Body, make: Make, lacks: Expectations["lacks"]): Promise<CaseResult> {
  const { name, suite } = body;
  const made = await make();
  try {
    await body.run(subjectOf(made, lacks), SKIPPING);
    return { suite, name, outcome: "passed" };
  } catch (error) {
    if (error instanceof SkippedCase) return { suite, name, outcome: "skipped", reason: error.message };
    return { suite, name, outcome: "failed", error };
  } finally {
    await made.dispose?.();
  }
}

async function runCase(body: Body, make: Make, { known, lacks, skipped }: Expectations): Promise<CaseResult> {
  const { name, suite } = body;
  const reason = skipped?.[name];
  if (reason !== undefined) return { suite, name, outcome: "skipped", reason };
  const result = await outcomeOf(body, make, lacks);
  const expected = known?.[name];
  if (expected === undefined || result.outcome === "skipped") return result;
  if (result.outcome === "failed") return { ...result, outcome: "known", reason: expected };
  return { suite, name, outcome: "failed", error: new Error(`it passes now; \`known\` says: ${expected}`) };
}

/**
 * Runs the cases one after another.
 *
 * @param make a subject for each case, with an empty root
 * @throws ERR_INVALID_ARG_VALUE for names that there are not; what `make` and `dispose` throw
 */
export async function runConformance(make: Make, expected: Expectations = {}): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const body of chosen(expected)) results.push(await runCase(body, make, expected));
  return results;
}

/** Tells a runner of a skip: some throw there, some go on. */
function tellSkipped(context: unknown, reason: string): void {
  const { skip } = (context ?? {}) as { skip?: (reason: string) => void };
  if (typeof skip === "function") skip.call(context, reason);
}

/**
 * Defines the cases as tests, a `describe` for each suite.
 *
 * @param make a subject for each case, with an empty root
 * @param runner `describe` and `it` of the test runner. Where tests cannot say that they are skipped (jest), such cases pass
 * @throws as runConformance(), at once; ERR_INVALID_ARG_TYPE
 */
export function conformance(make: Make, runner: Runner, expected: Expectations = {}): void {
  for (const name of ["describe", "it"] as const)
    if (typeof runner?.[name] !== "function") throw argTypeError(`runner.${name}`, "function", runner?.[name]);
  const all = chosen(expected);
  for (const suite of new Set(all.map((body) => body.suite))) {
    runner.describe(suite, () => {
      for (const body of all.filter((one) => one.suite === suite)) {
        // Rest parameters: runners that count parameters (jest, mocha) must not take the context for a callback.
        runner.it(body.name, async (...[context]: unknown[]) => {
          const { error, outcome, reason } = await runCase(body, make, expected);
          if (outcome === "failed") throw error;
          if (outcome === "skipped") tellSkipped(context, reason as string);
        });
      }
    });
  }
}
