// The file is served beside these, from the package.
import uPlot from "uplot";
export default uPlot;
