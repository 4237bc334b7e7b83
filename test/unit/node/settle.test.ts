import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { rejectSoon, resolveSoon, soon1, soon2 } from "../../../src/node/settle.ts";

function holdLoopFor(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** Only a scheduler that starves timers gets here: how fast the machine is decides nothing. */
const FAR_AWAY_MS = 5000;

describe("outcomes", () => {
  it("settle promises in a microtask when the event loop has just turned", async () => {
    await sleep(10);
    const order: string[] = [];
    setImmediate(() => order.push("immediate"));
    const settled = resolveSoon("value").then(() => order.push("promise"));
    queueMicrotask(() => order.push("microtask"));
    await settled;
    expect(order).toEqual(["promise", "microtask"]);
  });

  it("go through the event loop once it has not turned for 5 ms", async () => {
    await sleep(1);
    await resolveSoon(1);
    holdLoopFor(6);
    const order: string[] = [];
    setImmediate(() => order.push("immediate"));
    await resolveSoon(2);
    expect(order).toEqual(["immediate"]);
    await expect(rejectSoon(new Error("late"))).rejects.toThrow("late");
  });

  it("let timers run while promises are awaited in a row", async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const end = performance.now() + FAR_AWAY_MS;
    while (ticks < 3 && performance.now() < end) await resolveSoon(undefined);
    clearInterval(timer);
    expect(ticks).toBe(3);
  });

  it("let timers run while callbacks call again", async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const end = performance.now() + FAR_AWAY_MS;
    await new Promise<void>((resolve) => {
      const again = (): void => (ticks < 3 && performance.now() < end ? soon1(again as never, null) : resolve());
      again();
    });
    clearInterval(timer);
    expect(ticks).toBe(3);
  });

  it("hand over their arguments", async () => {
    const got = await new Promise((resolve) => soon2((a, b) => resolve([a, b]), 1, 2));
    expect(got).toEqual([1, 2]);
  });
});
