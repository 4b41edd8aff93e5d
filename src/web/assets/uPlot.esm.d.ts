// The file is served from the package, under the same path as these scripts.
import uPlot from "uplot";
export default uPlot;
