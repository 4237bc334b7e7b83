/**
 * Each pair of call and errno of the table is produced: by a scene on foliofs and on the host's kernel, outcome by outcome, or by a
 * fault that is injected.
 */
import { strict as assert } from "node:assert";
import { describe, expect, it } from "vitest";
import { missingForCallScripts, type Outcome } from "../helpers/call-script.ts";
import { expectSame, missingForLinuxScripts } from "../helpers/linux-script.ts";
import type { SceneStep } from "./calls.ts";
import { EXCEPTIONS } from "./exceptions.ts";
import type { Pair } from "./pair.ts";
import { countPairs, render } from "./render.ts";
import { negated, runFault, runOnFoliofs, runOnHost } from "./run-scenes.ts";
import { TABLE } from "./table/index.ts";

interface Named {
  readonly name: string;
  readonly errno: string;
  readonly pair: Pair;
}

const PAIRS: readonly Named[] = Object.entries(TABLE).flatMap(([call, pairs]) =>
  Object.entries(pairs).map(([errno, pair]) => ({ name: `${call} ${errno}`, errno, pair })),
);
const LONGEST_SHOWN = 60;

interface Scene {
  readonly name: string;
  readonly errno: string;
  readonly steps: readonly SceneStep[];
}

const SCENES: readonly Scene[] = PAIRS.flatMap(({ name, errno, pair }) =>
  pair.by === "kernel" && !(name in EXCEPTIONS) ? pair.scenes.map((steps) => ({ name, errno, steps })) : [],
);

/** One step a line, with what has come of it. */
function transcript(steps: readonly SceneStep[], outcomes: readonly Outcome[]): string {
  const brief = (arg: string | number): string =>
    String(arg).length > LONGEST_SHOWN ? `${String(arg).slice(0, 9)}…` : String(arg);
  return steps.map((step, i) => `${step.map(brief).join(" ")} = ${outcomes[i]}`).join("\n");
}

const missing = missingForCallScripts();
/** Once for all: a process a scene would take most of the time. */
const hosts = missing === undefined ? runOnHost(SCENES.map(({ steps }) => steps)) : undefined;

describe("pairs that programs produce", () => {
  SCENES.forEach(({ name, errno, steps }, i) => {
    const nr = SCENES.slice(0, i).filter((scene) => scene.name === name).length + 1;
    it(`${name} (${nr})`, () => {
      const outcomes = runOnFoliofs(steps);
      assert.equal(outcomes.at(-1), negated(errno), `foliofs does not answer it:\n${transcript(steps, outcomes)}`);
      if (hosts) assert.equal(transcript(steps, outcomes), transcript(steps, hosts[i]));
    });
  });

  for (const { name, errno, pair } of PAIRS) {
    if (pair.by !== "tasks") continue;
    it.skipIf(missingForLinuxScripts !== undefined)(name, async () => {
      expect((await expectSame(pair.script)).at(-1)).toBe(errno);
    });
  }
});

describe("pairs of faults", () => {
  for (const { name, errno, pair } of PAIRS) {
    if (pair.by !== "fault") continue;
    it(name, () => {
      expect(runFault(pair)).toContain(negated(errno));
    });
  }
});

describe("the table", () => {
  it("has at most one pair of the kernel in twenty that is not compared", () => {
    const known = new Set(PAIRS.map(({ name }) => name));
    expect(Object.keys(EXCEPTIONS).filter((name) => !known.has(name))).toEqual([]);
    expect(Object.keys(EXCEPTIONS).length).toBeLessThanOrEqual(countPairs(TABLE).kernel / 20);
  });

  it("is what the documentation shows", async () => {
    await expect(render(TABLE, EXCEPTIONS)).toMatchFileSnapshot("../../docs/errno-table.md");
  });
});
