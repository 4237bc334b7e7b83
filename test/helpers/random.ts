/** Numbers by a seed: those of the fuzzer. */
export { type Random, seededRandom } from "../../src/fuzz/random.ts";
