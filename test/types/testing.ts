/** What the types of foliofs/testing let through, and what they do not. */
import nodeFs from "node:fs";
import nodePromises from "node:fs/promises";
import { describe, it } from "node:test";
import * as vitest from "vitest";
import { createFsSync, type FolioFs } from "../../src/index.ts";
import { type FaultRule, type Faults, injectFaults, TestDisk } from "../../src/testing.ts";
import { conformance, runConformance } from "../../src/testing-conformance.ts";

const fs = createFsSync();
const faults: Faults<FolioFs> = injectFaults(fs);
export const same: FolioFs = faults.fs;
export const wrapped: typeof nodeFs = injectFaults(nodeFs).fs;
export const promises: typeof nodePromises = injectFaults(nodePromises, { clock: globalThis }).fs;
export const ofUser = injectFaults(fs.kernel.task({ uid: 1 }), { kernel: fs.kernel });

export const rule: FaultRule = faults.failNth({ call: "write", errno: "EIO", path: ({ length = 0 }) => length > 5 });
faults.failNth({ call: ["writeFileSync"], errno: "EIO" }); // any text: what is no call is found when it runs
faults.failWhen(/x/, "EIO", { times: Infinity });
faults.delay((call) => (call.path === "/" ? 5 : Promise.resolve()), { call: "open" });
// @ts-expect-error an error code is needed
faults.failNth({ call: "write" });
// @ts-expect-error a path is no number
faults.failWhen(5, "EIO");
// @ts-expect-error there is no such way to cut
new TestDisk().afterPowerCut({ keeps: "some" });

const create = () => ({ fs: nodeFs, root: "/tmp/x" });
export function define(): void {
  conformance(create, { describe, it });
  conformance(create, vitest, { lacks: { links: "it has none" } });
  void runConformance(async () => ({ ...create(), dispose: () => {} }));
  // @ts-expect-error there is no such ability
  conformance(create, vitest, { lacks: { wings: "it cannot fly" } });
}
