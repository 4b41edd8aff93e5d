/** The styles of a statement that is a file of its own. */
export const styles = `
:root { color-scheme: light; }
body { margin: 0; background: #fff; color: #1b1d21; font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.4rem; }
h2 { margin: 1.4rem 0 0.4rem; font-size: 1.05rem; break-after: avoid; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: 0.15rem 0.6rem 0.15rem 0; border-bottom: 1px solid #dfe1e4; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
thead th { color: #5c626c; font-weight: 600; }
tr { break-inside: avoid; }
.number, .sums td { text-align: right; white-space: nowrap; }
.sums { width: auto; min-width: min(28rem, 100%); }
.sums th { font-weight: 400; }
.total th, .total td { font-weight: 700; }
.note { color: #5c626c; font-size: 0.9rem; }
code { overflow-wrap: anywhere; }
@page { margin: 15mm; }
@media print { main { max-width: none; padding: 0; } .scroll { overflow: visible; } }
`;
