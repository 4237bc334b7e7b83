/** What both() takes for a fault. */
import { expect, it } from "vitest";
import { both } from "./both.ts";

const faulty = (fault: string) => () => both("faulty.mjs", { args: [fault] });

it("compares, looks for files on the host, and for an end", () => {
  expect(faulty("none")()).toBe('["none"]\nfinished\n');
  expect(faulty("differs")).toThrow(/^expected .*false.* to be .*true/s);
  expect(faulty("leaks")).toThrow(/left on the host by the run on foliofs/);
  expect(faulty("stops")).toThrow(/faulty.mjs on host (stopped before its end|ended with 13)/);
  expect(faulty("throws")).toThrow(/faulty.mjs on host ended with 1\n.*ENOENT/s);
});
