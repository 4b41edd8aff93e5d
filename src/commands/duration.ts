export { durationText } from "../text.ts";
