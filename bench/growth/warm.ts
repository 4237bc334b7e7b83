/** How both growth tables measure: compiled first, and steady. */
import { lowerQuartile } from "../stats.ts";

const WARM_UP_MS = 50;

/** @param once answers ns per call @returns the lower quartile of `repeats` answers, after 50 ms of them */
export function timeWarm(once: () => number, repeats: number): number {
  const untilMs = performance.now() + WARM_UP_MS;
  while (performance.now() < untilMs) once();
  return lowerQuartile(Array.from({ length: repeats }, once));
}
