/**
 * Options of a data call whose getters do something to what the call is about, while it asks for them: the memory becomes shorter, the
 * file is cut, or closed.
 */
import type { Arg } from "./call.ts";
import { shrinkView } from "./data-view.ts";

/** What a deed is done to. */
export interface Victim {
  readonly view: NodeJS.ArrayBufferView;
  truncate(size: number): void;
  close(): void;
}

type Deed = (victim: Victim) => void;

/** By their number, each for one of the options. */
const DEEDS: readonly (readonly [option: "offset" | "length" | "position", deed: Deed])[] = [
  ["offset", () => {}],
  ["offset", ({ view }) => shrinkView(view)],
  ["length", ({ view }) => shrinkView(view)],
  ["position", ({ view }) => shrinkView(view)],
  ["position", ({ truncate }) => truncate(1)],
  ["length", ({ close }) => close()],
];
export const NR_DEEDS = DEEDS.length;

/** @param deed below NR_DEEDS */
export function optionsThat(
  deed: Arg,
  victim: Victim,
  values: { readonly length: Arg; readonly position: Arg },
): object {
  const [option, act] = DEEDS[deed as number];
  const all = { offset: 0, ...values };
  const options = {};
  for (const [name, value] of Object.entries(all)) {
    const get = (): Arg => {
      if (name === option) act(victim);
      return value;
    };
    Object.defineProperty(options, name, { get, enumerable: true });
  }
  return options;
}
