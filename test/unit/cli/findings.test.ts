/** What is printed of findings and kept of them, and what a terminal is told meanwhile: on machines with planted faults. */
import { strict as assert } from "node:assert";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it, vi } from "vitest";
import { fsx } from "../../../src/cli/fsx.ts";
import { fuzz } from "../../../src/cli/fuzz.ts";
import { asyncCampaign, asyncReplay } from "../../../src/cli/fuzz-async.ts";
import { faultCampaign, faultReplay } from "../../../src/cli/fuzz-faults.ts";
import { runHere } from "../../../src/cli/fuzz-jobs.ts";
import { type FuzzOptions, parseFuzzOptions } from "../../../src/cli/fuzz-options.ts";
import { UsageError } from "../../../src/cli/usage.ts";
import type { FaultSetting } from "../../../src/fuzz/faults/fault-profiles.ts";
import {
  ASYNC_MACHINES,
  FSX_MACHINES,
  type FsxMachine,
  type MakeAsyncMachine,
  readFaults,
  readSchedule,
} from "../../../src/fuzz.ts";
import { losesBytes, withPromises } from "../../helpers/planted-faults.ts";

/** What is planted where calls fail. */
const setting = vi.hoisted(() => ({}) as { planted?: FaultSetting["planted"] });

vi.mock("../../../src/fuzz.ts", async (original) => {
  const actual = await original<typeof import("../../../src/fuzz.ts")>();
  return {
    ...actual,
    searchFaults: (options: Parameters<typeof actual.searchFaults>[0]) =>
      actual.searchFaults({ ...options, ...setting }),
    replayFaults: (replay: Parameters<typeof actual.replayFaults>[0], options: FaultSetting) =>
      actual.replayFaults(replay, { ...options, ...setting }),
  };
});

let folder: string;
let printed: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "foliofs-findings-"));
  printed = [];
  vi.spyOn(console, "log").mockImplementation((line) => void printed.push(String(line)));
});

afterEach(() => {
  vi.restoreAllMocks();
  delete setting.planted;
  rmSync(folder, { recursive: true });
});

/** A machine whose stat() answers what only the kernel should see. */
function impatient(): MakeAsyncMachine {
  const stat = async (): Promise<never> => {
    throw Object.assign(new Error("EAGAIN"), { code: "EAGAIN" });
  };
  return withPromises(ASYNC_MACHINES.store, () => ({ stat }));
}

function optionsOf(text: string): FuzzOptions {
  return parseFuzzOptions(text.split(" "));
}

/** The only report in the folder, which has to be told by its path. */
function reported(): string {
  const [name, ...more] = readdirSync(folder);
  assert.deepEqual(more, []);
  const file = join(folder, name);
  assert.ok(printed.some((line) => line.includes("--replay ") && line.endsWith(file)));
  return readFileSync(file, "utf8");
}

describe("a finding", { timeout: 120_000 }, () => {
  it("of calls under way is shown with its calls, and its replay shows it again until it is mended", async () => {
    const machines = ASYNC_MACHINES as Record<string, MakeAsyncMachine>;
    machines.planted = impatient();
    const text = `--profile async --seed 1 --findings 1 --report ${folder}`;
    try {
      assert.equal(await asyncCampaign(optionsOf(text), ["planted"]), 1);
      assert.match(printed.join("\n"), /\n1\. Seed \d+, \d+ calls: EAGAIN: [\s\S]*: stat\(.* promise/);
      const replay = readSchedule(reported()) ?? assert.fail();
      assert.equal(await asyncReplay(replay, false), 1);
      assert.match(printed.at(-1) ?? "", /^EAGAIN: /);
      machines.planted = ASYNC_MACHINES.store;
      assert.equal(await asyncReplay(replay, false), 0);
      assert.equal(printed.at(-1), "planted does what it should");
    } finally {
      delete machines.planted;
    }
  });

  it("of a call that fails is shown with its calls, and its replay shows it again until it is mended", async () => {
    setting.planted = (twin, { call, task }, nth) => {
      if (call === "mkdir" && nth === 1) twin.perform({ task, call: "mkdir", args: ["left-behind", 0o755] });
    };
    const text = `--faults --profile names --seed 1 --findings 1 --report ${folder}`;
    assert.equal(await faultCampaign(optionsOf(text), ["tmpfs"]), 1);
    assert.match(printed.join("\n"), /\n1\. Seed \d+: allocation \d+ of call [\s\S]*\n +\d: mkdir\(/);
    const replay = readFaults(reported()) ?? assert.fail();
    assert.equal(await faultReplay(replay, false), 1);
    assert.ok(replay.head.about.endsWith(printed.at(-1) as string));
    delete setting.planted;
    assert.equal(await faultReplay(replay, false), 0);
    assert.equal(printed.at(-1), "tmpfs does what it should");
  });

  it("of fsx is shown, and its replay shows it again until it is mended", async () => {
    const machines = FSX_MACHINES as Record<string, (options: { length: number }) => FsxMachine>;
    const { tmpfs } = machines;
    machines.tmpfs = (options) => losesBytes(tmpfs(options));
    try {
      assert.equal(await fsx(`--seed 1 --ops 50000 --findings 1 --report ${folder}`.split(" ")), 1);
      assert.match(printed.join("\n"), /\n1\. /);
      reported();
      const again = ["--replay", join(folder, readdirSync(folder)[0])];
      assert.equal(await fsx(again), 1);
      machines.tmpfs = tmpfs;
      assert.equal(await fsx(again), 0);
    } finally {
      machines.tmpfs = tmpfs;
    }
  });
});

describe("a terminal is told how far a search is, in one line that is written over", { timeout: 120_000 }, () => {
  it.each<[what: string, search: () => Promise<number>]>([
    ["programs", () => fuzz("--oracle model --seed 1 --ops 300 --jobs 1".split(" "))],
    ["schedules", () => asyncCampaign(optionsOf("--profile async --seed 1 --ops 60"), ["tmpfs"])],
    ["faults", () => faultCampaign(optionsOf("--faults --seed 1 --ops 60"), ["tmpfs"])],
  ])("of %s", async (_, search) => {
    const written: string[] = [];
    let ms = 0;
    vi.spyOn(performance, "now").mockImplementation(() => (ms += 2000)); // it is told once a second
    vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
    const { isTTY } = process.stdout;
    process.stdout.isTTY = true;
    try {
      assert.equal(await search(), 0);
    } finally {
      process.stdout.isTTY = isTTY;
    }
    assert.ok(written.length > 0);
    for (const line of written) assert.match(line, /^\r\d+ calls in \d+ programs, .*\d+ findings$/);
    assert.match(printed.at(-1) ?? "", /^\r\d+ calls in .* 0 findings/);
  });
});

it("refuses a subject that there is not as a wrong argument", async () => {
  const options = { ...optionsOf("--oracle model"), subject: "floppy" };
  await assert.rejects(runHere(options, { started: () => {} }, new AbortController().signal), UsageError);
});
