export { durationText } from "../../core/text.ts";
